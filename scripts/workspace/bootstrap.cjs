// The entry of `npm start` and `npm test`. It must parse on any Node, however old, so that an old one gets a sentence
// instead of a syntax error: no modern syntax and no `node:` imports here.
var major = Number(process.versions.node.split('.')[0])

if (major < 20) {
  console.error('Node.js 20 or newer is needed to start; this is v' + process.versions.node + '.')
  process.exit(1)
}

require('./workspace-commands.cjs').run(process.argv[2], process.argv.slice(3))
