/** The browser that the tests of pages run in: Debian's, because it can be installed without anybody's download site. */
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Its path. With `install`, and as root on Debian, it is installed where it is missing; else the process ends, saying how. */
exports.findChromium = function findChromium({ install }) {
  const found = [process.env.CHROMIUM, ...PLACES].find((file) => file && fs.existsSync(file))
  if (found) return found
  if (install && process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get')) {
    console.error('安装浏览器 installing chromium and fonts-noto-cjk (apt-get) …')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const run = (args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
    if (
      run(['update', '-qq']) &&
      run(['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-noto-cjk'])
    ) {
      return exports.findChromium({ install: false })
    }
  }
  console.error(
    '页面测试需要浏览器：apt-get install chromium fonts-noto-cjk，或设置 CHROMIUM\n' +
      'The tests of pages need a browser: apt-get install chromium fonts-noto-cjk, or set CHROMIUM to its path',
  )
  process.exit(1)
}
