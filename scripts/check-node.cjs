/** Loaded first, and in words that an old Node understands: everything after it may be modern. */
exports.checkNode = function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`需要 Node.js 20.19 或更高版本 (Node.js 20.19 or newer is needed); this is ${process.version}`)
  process.exit(1)
}
