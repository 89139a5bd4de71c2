/** How long a step takes, while it goes on: on a terminal in one line that is rewritten, in a file its begin and its end only. */
const { clearLine, cursorTo } = require('node:readline')

const TICK_MS = 1000

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`
exports.seconds = seconds

/** Says that a step begins. `end` says that it has ended, well or (`why`) badly. */
exports.progress = function progress(title, out = process.stderr) {
  const started = Date.now()
  const rewrite = (text) => {
    clearLine(out, 0)
    cursorTo(out, 0)
    out.write(text)
  }
  out.write(out.isTTY ? `${title} …` : `${title} …\n`)
  const ticks = out.isTTY ? setInterval(() => rewrite(`${title} … ${seconds(started)}`), TICK_MS) : undefined
  return {
    end(why) {
      clearInterval(ticks)
      const line = `${title}: ${why ?? seconds(started)}\n`
      if (out.isTTY) rewrite(line)
      else out.write(line)
    },
  }
}
