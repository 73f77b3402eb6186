#!/usr/bin/env node
// Runs the TypeScript sources, with nothing built: for working on atomctl.
import '../scripts/sources.mjs'

await import('../lib/start.js')
