/** The browser that the tests of pages run in: one that is installed, so that nothing is downloaded from other places. */
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const MAC_APPS = ['Google Chrome', 'Chromium', 'Microsoft Edge']
const WINDOWS_APPS = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe']

/**
 * Where such a browser is installed on this platform, for all users or for one. Debian's headless shell is the same browser
 * without windows: the tests of pages need a third less processor time in it.
 */
function places(platform, env) {
  if (platform === 'darwin') {
    return ['', env.HOME ?? ''].flatMap((home) =>
      MAC_APPS.map((app) => `${home}/Applications/${app}.app/Contents/MacOS/${app}`),
    )
  }
  if (platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((root) => root !== undefined)
    return roots.flatMap((root) => WINDOWS_APPS.map((app) => path.win32.join(root, app)))
  }
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']
  return [...names.map((name) => `/usr/bin/${name}`), '/snap/bin/chromium']
}
exports.places = places

const HOW =
  '在 Debian 上运行 apt-get install chromium-headless-shell fonts-noto-cjk，或把 CHROMIUM 设为浏览器的路径\n' +
  'Install Chromium or Chrome (on Debian: apt-get install chromium-headless-shell fonts-noto-cjk), or set CHROMIUM to its path.'
exports.HOW = HOW

/** Its path, or null. */
exports.findChromium = function findChromium() {
  const candidates = [process.env.CHROMIUM, ...places(process.platform, process.env)]
  return candidates.find((file) => file && fs.existsSync(file)) ?? null
}

/** Installs it where that needs no question: as root on Debian. Answers its path, or null. */
exports.installChromium = function installChromium() {
  if (process.getuid?.() !== 0 || !fs.existsSync('/usr/bin/apt-get')) return null
  console.error('安装浏览器 installing chromium-headless-shell and fonts-noto-cjk (apt-get) …')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = (args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  const install = (browser) => run(['install', '-y', '-qq', '--no-install-recommends', browser, 'fonts-noto-cjk'])
  const isInstalled = run(['update', '-qq']) && (install('chromium-headless-shell') || install('chromium'))
  return isInstalled ? exports.findChromium() : null
}
