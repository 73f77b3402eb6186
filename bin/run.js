#!/usr/bin/env node
// Plain old syntax: this file must run far enough on any Node to say which one is needed. CommonJS (package.json beside
// it says so), because Node starts that sooner than an ES module.
var version = process.versions.node.split('.').map(Number)
var supported =
  (version[0] === 22 && (version[1] > 22 || (version[1] === 22 && version[2] >= 2))) ||
  (version[0] === 24 && version[1] >= 15) ||
  version[0] >= 26
if (!supported) {
  process.stderr.write(
    '[ERROR] atomctl needs Node.js 22.22.2 or newer, 24.15 or newer, or 26; this is ' + process.version + '\n',
  )
  process.exit(1)
}
try {
  require('../lib/start.cjs')
} catch (error) {
  process.stderr.write('[ERROR] atomctl is not built or its installation is damaged: ' + error.message + '\n')
  process.exit(1)
}
