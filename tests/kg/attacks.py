"""What somebody with bad intentions might ask. FILE stands for a file with a secret, PORT for a port that listens."""

from __future__ import annotations

from tests.kg.excess import TOO_MUCH

WRITES = r"""
CREATE (n:Hacked {id: 1}) RETURN n
create (n:Hacked)
MATCH (n:User) SET n.hacked = true RETURN count(n)
MATCH (n:User) SET n += {hacked: true}
MATCH (n:User {id: 'U1'}) SET n:Hacked
MATCH (n:User {id: 'U1'}) REMOVE n.name
MATCH (n:User {id: 'U1'}) REMOVE n:User
MATCH (n:User {id: 'U1'}) DETACH DELETE n
MATCH (n) DETACH DELETE n
MATCH ()-[r]->() DELETE r
MATCH (n:User {id: 'U4'}) NODETACH DELETE n
MERGE (n:User {id: 'evil'}) RETURN n
MERGE (n:User {id: 'U1'}) ON MATCH SET n.name = 'evil'
MERGE (n:User {id: 'U1'}) ON CREATE SET n.name = 'evil' ON MATCH SET n.name = 'evil' RETURN n
MATCH (a:User {id: 'U1'}), (b:Asset {id: 'D'}) CREATE (a)-[:HOLDS {weight: 1.0}]->(b)
MATCH (:User {id: 'U1'})-[r:HOLDS]->() SET r.weight = 99
MATCH (n:User) WITH n LIMIT 1 CALL (n) { SET n.x = 1 } RETURN 1
MATCH (n:User) WITH n LIMIT 1 CALL { WITH n SET n.x = 1 } RETURN 1
MATCH (n:User) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1 ROWS
UNWIND [1, 2, 3] AS x CREATE (:Hacked {x: x})
FOREACH (x IN [1, 2] | CREATE (:Hacked {x: x}))
MATCH (n:User) FOREACH (x IN [1] | SET n.hacked = x)
MATCH p = (a:User)-[*1..2]-(b) FOREACH (n IN nodes(p) | SET n.marked = true)
RETURN 1 AS x UNION CREATE (n:Hacked) RETURN 1 AS x
OPTIONAL MATCH (n:Nothing) CREATE (m:Hacked) RETURN m
WITH 1 AS x INSERT (:Hacked)
INSERT (:Hacked {id: 1})
CALL { CREATE (n:Hacked) RETURN n } RETURN n
MATCH (n:User {id: 'U1'}) WITH n SET n['name'] = 'evil'
MATCH (n:User {id: 'U1'}) SET n = {}
CYPHER runtime=slotted CREATE (n:Hacked)
CYPHER 5 CREATE (n:Hacked)
PROFILE CREATE (n:Hacked) RETURN n
EXPLAIN CREATE (n:Hacked) RETURN n
MATCH (n) /* harmless */ SET n.hacked = 1
MATCH (n) // harmless
/**/CREATE/**/(n:Hacked)
MATCH (n:User) RETURN n; CREATE (n:Hacked)
RETURN 1; MATCH (n) DETACH DELETE n;
CALL db.createLabel('Hacked')
CALL db.createProperty('hacked')
CALL db.createRelationshipType('HACKED')
MATCH (n:Asset {id: 'A'}) CALL db.create.setNodeVectorProperty(n, 'embedding', [1.0]) RETURN n
CALL tx.setMetaData({user: 'somebody else'})
CALL `db`.`createLabel`('Hacked')
CALL merge.relationship(null, 'HACKED', {}, {}, null)
CALL apoc.create.node(['Hacked'], {}) YIELD node RETURN node
CALL apoc.cypher.runWrite('CREATE (:Hacked)', {})
CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'DETACH DELETE n', {})
RETURN apoc.cypher.runFirstColumnSingle('CREATE (n:Hacked) RETURN n', {})
MATCH (n:User) WITH n AS set SET set.hacked = true RETURN set
MATCH (match:User) DELETE match
MATCH (where:User) WITH where AS as DETACH DELETE where
MATCH (n:User {id: 'U1'}) SET n.hacked = 1, n.x = 2 RETURN n AS set
MATCH (n:User) SET (n).hacked = true
MATCH (n:User {id: 'U1'}) SET (CASE WHEN true THEN n END).hacked = 1
MATCH (n:User {id: 'U1'}) SET n.`hacked` = 1
MATCH (n:User {id: 'U1'}) SET n:$('Hacked')
MATCH (n:User {id: 'U1'}) SET n IS Hacked
MATCH (n:User {id: 'U1'}) REMOVE n['name']
MATCH (n:User) CALL (n) { WITH n DETACH DELETE n } IN 2 CONCURRENT TRANSACTIONS OF 1 ROWS
MATCH (n:User) CALL (n) { SET n.x = 1 } IN TRANSACTIONS ON ERROR CONTINUE REPORT STATUS AS s RETURN s
CALL { CREATE (:Hacked) } IN TRANSACTIONS
CALL () { CALL () { CALL () { CREATE (:Hacked) } } }
CALL { CALL { CALL { MERGE (h:Hacked) RETURN h } RETURN h } RETURN h } RETURN h
RETURN EXISTS { CREATE (n:Hacked) RETURN n } AS x
RETURN COLLECT { CREATE (n:Hacked) RETURN n } AS x
RETURN COUNT { MERGE (n:Hacked) RETURN n } AS x
MATCH (n) WHERE EXISTS { MATCH (n) SET n.hacked = 1 RETURN n } RETURN n
RETURN [(a)-[:HOLDS]->(b) | b] AS l CREATE (:Hacked)
WITH [1] AS l FOREACH (x IN l | FOREACH (y IN l | CREATE (:Hacked)))
UNWIND [{id: 'U1'}] AS row MERGE (n:User {id: row.id}) SET n += row
MATCH (a:User {id: 'U1'}) MERGE (a)-[:HOLDS {weight: 9.0}]->(b:Asset {id: 'D'})
MATCH (:User {id: 'U1'})-[r:HOLDS]->() DELETE r RETURN count(*) AS delete
PROFILE MATCH (n:User) SET n.hacked = true RETURN n
PROFILE MERGE (n:Hacked) RETURN n
profile match (n) detach delete n
PROFILE CALL { CREATE (n:Hacked) RETURN n } RETURN n
PROFILE RETURN 1 AS x UNION CREATE (n:Hacked) RETURN 1 AS x
EXPLAIN MATCH (n:User) SET n.hacked = true RETURN n
EXPLAIN PROFILE CREATE (n:Hacked)
PROFILE EXPLAIN CREATE (n:Hacked)
EXPLAIN EXPLAIN CREATE (n:Hacked)
MATCH (n:User) WITH *, n AS create SET create.hacked = 1
WITH 1 AS create CREATE (create:Hacked)
MATCH (n:User) RETURN n LIMIT 1 UNION ALL MATCH (n:User) DETACH DELETE n RETURN n
MATCH (n:User {id: 'U1'}) SET n = properties(n)
OPTIONAL CALL (*) { CREATE (:Hacked) }
MATCH (n:User) WHERE n.id = 'U1' SET n.birth_year = null FINISH
CREATE OR REPLACE (n:Hacked)
CYPHER planner=cost MATCH (n) SET n.hacked = 1
CALL db.create.setVectorProperty(null, 'embedding', [1.0]) YIELD node RETURN node
CALL db.create.setRelationshipVectorProperty(null, 'v', [1.0])
CALL apoc.refactor.rename.label('User', 'Hacked')
CALL apoc.trigger.add('x', 'CREATE (:Hacked)', {})
CALL gds.graph.drop('x')
CALL gds.pageRank.write('x', {writeProperty: 'hacked'})
CALL apoc.cypher.doIt('CREATE (:Hacked)', {}) YIELD value RETURN value
RETURN apoc.create.vNode(['Hacked'], {}) AS n
RETURN create.vNode(['Hacked'], {}) AS n
"""

SCHEMA_AND_ADMINISTRATION = r"""
CREATE INDEX evil FOR (n:User) ON (n.name)
CREATE CONSTRAINT evil FOR (n:Evil) REQUIRE n.id IS UNIQUE
CREATE FULLTEXT INDEX evil FOR (n:User) ON EACH [n.name]
CREATE VECTOR INDEX evil FOR (n:User) ON (n.v)
DROP INDEX pathfolio_asset_ticker
DROP CONSTRAINT pathfolio_user_id
DROP CONSTRAINT pathfolio_graph IF EXISTS
CREATE USER mallory SET PASSWORD 'password1' CHANGE NOT REQUIRED
ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'password1'
ALTER USER neo4j SET PASSWORD 'password1'
DROP USER neo4j
GRANT ROLE admin TO neo4j
RENAME USER neo4j TO mallory
CREATE DATABASE evil
DROP DATABASE neo4j
STOP DATABASE neo4j
CREATE OR REPLACE DATABASE graph
USE system SHOW USERS
USE system RETURN 1
CALL { USE system SHOW USERS YIELD user RETURN user } RETURN user
SHOW USERS
SHOW SETTINGS
SHOW TRANSACTIONS
TERMINATE TRANSACTIONS 'neo4j-transaction-1'
SHOW TRANSACTIONS YIELD transactionId AS id TERMINATE TRANSACTIONS id
SHOW PROCEDURES EXECUTABLE BY neo4j
ENABLE SERVER 'x'
DEALLOCATE DATABASES FROM SERVER 'x'
CALL dbms.listConfig()
CALL dbms.listConfig() YIELD name, value RETURN name, value
CALL dbms.killConnections(['bolt-1'])
CALL dbms.listConnections()
CALL dbms.queryJmx('*:*')
CALL dbms.setConfigValue('dbms.security.auth_enabled', 'false')
CALL dbms.security.createUser('mallory', 'password1', false)
CALL dbms.upgrade()
CALL db.clearQueryCaches()
CALL db.stats.retrieveAllAnonymized('x')
CALL db.prepareForReplanning()
CALL db.resampleOutdatedIndexes()
CALL dbms.components()
CALL dbms . listConfig()
CALL
  dbms.listConfig
SHOW USERS YIELD user, passwordChangeRequired RETURN user
SHOW CURRENT USER
SHOW ROLES
SHOW ROLES WITH USERS
SHOW ALL PRIVILEGES AS COMMANDS
SHOW USER PRIVILEGES
SHOW USER neo4j PRIVILEGES
SHOW SUPPORTED PRIVILEGES
SHOW DATABASES
SHOW DEFAULT DATABASE
SHOW HOME DATABASE
SHOW SERVERS
SHOW ALIASES FOR DATABASES
SHOW SETTINGS 'server.directories.import'
SHOW SETTING YIELD name, value RETURN name, value
SHOW TRANSACTIONS YIELD currentQuery, username RETURN currentQuery, username
SHOW TRANSACTION 'neo4j-transaction-1'
show settings
SHOW/**/SETTINGS
PROFILE SHOW SETTINGS
EXPLAIN SHOW SETTINGS
SHOW INDEXES YIELD name SHOW USERS
SHOW INDEXES YIELD name TERMINATE TRANSACTIONS 'neo4j-transaction-1'
SHOW FUNCTIONS EXECUTABLE BY neo4j
SHOW PROCEDURES EXECUTABLE
SHOW PROCEDURES YIELD name SHOW SETTINGS YIELD name AS n RETURN n
SHOW INDEXES; SHOW USERS
MATCH (n) WITH n LIMIT 1 SHOW USERS
CALL { SHOW USERS YIELD user RETURN user } RETURN user
CALL { SHOW SETTINGS YIELD name RETURN name } RETURN name
ALTER DATABASE neo4j SET ACCESS READ ONLY
START DATABASE neo4j
CREATE ALIAS evil FOR DATABASE neo4j
CREATE ROLE evil
CREATE LOOKUP INDEX evil FOR (n) ON EACH labels(n)
CREATE POINT INDEX evil FOR (n:User) ON (n.p)
CREATE TEXT INDEX evil FOR (n:User) ON (n.name)
DENY READ {*} ON GRAPH * TO PUBLIC
REVOKE ROLE admin FROM neo4j
CALL dbms.showCurrentUser()
CALL dbms.info()
CALL dbms.listCapabilities()
CALL dbms.cluster.routing.getRoutingTable({})
CALL dbms.killConnection('bolt-1')
CALL db.stats.clear('QUERIES')
CALL db.stats.retrieve('QUERIES') YIELD data RETURN data
CALL db.resampleIndex('pathfolio_user_id')
CALL db.index.vector.createNodeIndex('evil', 'User', 'v', 3, 'cosine')
CALL tx.getMetaData()
CALL jwt.security.requestAccess('x')
"""

FILES_AND_NETWORK = r"""
LOAD CSV FROM 'file://FILE' AS line RETURN line
LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
LOAD CSV WITH HEADERS FROM 'file://FILE' AS line RETURN line
LOAD CSV FROM 'FILE' AS line RETURN line
LOAD CSV FROM 'http://127.0.0.1:PORT/' AS line RETURN line
LOAD CSV FROM 'http://localhost:PORT/x.csv' AS line RETURN line
LOAD CSV FROM 'https://127.0.0.1:PORT/' AS line RETURN line
LOAD CSV FROM 'ftp://127.0.0.1:PORT/' AS line RETURN line
MATCH (u:User) LOAD CSV FROM 'http://127.0.0.1:PORT/?' + u.name AS line RETURN line
WITH 'file://FILE' AS url LOAD CSV FROM url AS line RETURN line
CALL { LOAD CSV FROM 'file://FILE' AS line RETURN line } RETURN line
EXPLAIN LOAD CSV FROM 'file://FILE' AS line RETURN line
load/**/csv from 'file://FILE' as line return line
USING PERIODIC COMMIT LOAD CSV FROM 'file://FILE' AS line CREATE (:Line {l: line})
CALL apoc.load.json('file://FILE')
CALL apoc.load.csv('http://127.0.0.1:PORT/')
CALL apoc.load.jdbc('jdbc:postgresql://127.0.0.1:PORT/', 'users')
CALL apoc.export.csv.all('FILE.out', {})
CALL apoc.import.graphml('FILE', {})
CALL apoc.util.sleep(100000)
RETURN apoc.load.jsonArray('http://127.0.0.1:PORT/')
CALL genai.vector.encodeBatch(['x'], 'OpenAI', {token: 'x', endpoint: 'http://127.0.0.1:PORT/'})
RETURN genai.vector.encode('x', 'OpenAI', {endpoint: 'http://127.0.0.1:PORT/'})
RETURN {a: genai.vector.encode('x', 'OpenAI', {endpoint: 'http://127.0.0.1:PORT/'})}
RETURN 1 - genai.vector.encode('x', 'OpenAI', {endpoint: 'http://127.0.0.1:PORT/'})
RETURN `genai.vector.encode`('x', 'OpenAI', {endpoint: 'http://127.0.0.1:PORT/'})
RETURN file()
RETURN linenumber()
IMPORT DATABASE 'file://FILE'
SELECT * FROM schema:database
CALL algo.pagerank()
RETURN eval('1+1')
RETURN util.sleep(100000)
PROFILE LOAD CSV FROM 'file://FILE' AS line RETURN line
MATCH (load:User) LOAD CSV FROM 'file://FILE' AS load RETURN load
WITH 1 AS load LOAD CSV FROM 'file://FILE' AS line RETURN line
RETURN COLLECT { LOAD CSV FROM 'file://FILE' AS line RETURN line } AS l
RETURN EXISTS { LOAD CSV FROM 'http://127.0.0.1:PORT/' AS line RETURN line } AS l
RETURN COUNT { LOAD CSV FROM 'file://FILE' AS line RETURN line } AS l
CALL () { LOAD CSV FROM 'file://FILE' AS line RETURN line } RETURN line
UNWIND ['file://FILE'] AS url CALL (url) { LOAD CSV FROM url AS line RETURN line } RETURN line
LOAD CSV FROM 'file://FILE' AS line FIELDTERMINATOR ';' RETURN line
LOAD CSV FROM 'jar:http://127.0.0.1:PORT/x.jar!/x' AS line RETURN line
LOAD CSV FROM 'gs://bucket/x' AS line RETURN line
CALL { WITH 'http://127.0.0.1:PORT/' AS u LOAD CSV FROM u AS l RETURN l } IN TRANSACTIONS RETURN l
CALL apoc.load.xml('file://FILE')
CALL apoc.load.html('http://127.0.0.1:PORT/', {})
CALL apoc.cypher.runFile('FILE')
CALL apoc.log.stream('neo4j.log')
CALL load.csv('file://FILE')
RETURN apoc.util.sha1(['x'])
RETURN `apoc.load.json`('file://FILE') AS x
RETURN apoc . load . json('file://FILE') AS x
RETURN apoc/**/.static.get('x') AS x
RETURN gds.util.asNode(1) AS x
RETURN dbms.functions() AS x
RETURN util.md5(['x']) AS x
RETURN text.regexReplace('a', '(a+)+', 'b') AS x
RETURN text.lpad('a', 1000000000, 'b') AS x
RETURN [x IN [1] | util.sleep(100000)] AS x
MATCH (n) WHERE util.sleep(1000) IS NULL RETURN n
RETURN graph.byName('system') AS g
USE graph.byName('system') RETURN 1 AS x
CALL { USE graph.byElementId('x') RETURN 1 AS x } RETURN x
"""

HIDDEN = r"""
\u0043REATE (n:Hacked)
MATCH (n) \u0053ET n.hacked = 1
RETURN '\u0027 CREATE (n:Hacked) RETURN \u0027'
RETURN "\\u0022 CREATE (n:Hacked)"
RETURN 'a' CREATE (n:Hacked) RETURN 'b'
RETURN "it's" CREATE (n:Hacked) RETURN "it's"
RETURN 'a\' ' CREATE (n:Hacked) RETURN ' \'b'
RETURN `a``b` CREATE (n:Hacked)
MATCH (n:`User`) SET n.`x y` = 1
RETURN 'unfinished
RETURN 1 /* unfinished
RETURN `unfinished
MATCH (n {a: 1, set: 2}) SET n.a = 2
RETURN 1 AS `CREATE` CREATE (n:Hacked)
MATCH (n:User) SE\u0054 n.hacked = 1
RETURN 1 AS x \u002F\u002A CREATE (:Hacked) \u002A\u002F
CALL \u0064bms.listConfig()
RETURN '\uuuu0027 CREATE (n:Hacked) //'
RETURN 1 //x\u000ACREATE (n:Hacked)
RETURN "a\" " CREATE (n:Hacked) RETURN " \"b"
RETURN '/*' CREATE (n:Hacked) RETURN '*/'
RETURN '//' CREATE (n:Hacked)
RETURN `/*` CREATE (n:Hacked) RETURN `*/`
RETURN 1 /* /* */ CREATE (n:Hacked) /* */
RETURN 1 AS x /**/ UNION /**/ CREATE /**/ (n:Hacked) RETURN 1 AS x
MATCH (n) WHERE n.name = 'SET' OR true SET n.hacked = 1
MATCH (n:User) WITH n AS `set` SET `set`.hacked = 1
MATCH (`n`:`User`) DETACH DELETE `n`
RETURN 1 AS `a``b` CREATE (n:Hacked)
CALL `dbms.listConfig`()
CALL `dbms`.`listConfig`()
CALL db.`labels`.listConfig()
"""

BY_KIND = {
    "writes": WRITES,
    "schema and administration": SCHEMA_AND_ADMINISTRATION,
    "files and network": FILES_AND_NETWORK,
    "hidden": HIDDEN,
    "too much": TOO_MUCH,
}


def attacks(kind: str) -> list[str]:
    """The queries of a kind; a line that begins with blanks, or a comment's end, goes on with the line before."""
    found: list[str] = []
    for line in BY_KIND[kind].strip().splitlines():
        if found and (line.startswith(("  ", "/**/")) or found[-1].endswith("// harmless")):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found
