"""An explanation as text, HTML, a picture and Cypher."""
