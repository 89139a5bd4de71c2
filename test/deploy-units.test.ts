/** The units of deploy/systemd by systemd's own programs, offline: none is installed or started. And what Prometheus is told to read. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programAt, ran } from './support/programs.ts'

const UNITS = path.resolve(import.meta.dirname, '../deploy/systemd')
const NAMES = ['acopay.service', 'acopay-migrate.service']
const read = (file: string): string => readFileSync(path.join(UNITS, file), 'utf8')

const analyze = programAt('systemd-analyze', 'apt-get install systemd')
const SYSTEM = '/usr/lib/systemd/system'
const TARGETS = ['basic', 'multi-user', 'network-online', 'shutdown', 'sysinit'].map((name) => `${name}.target`)

const promtool = programAt('promtool', 'apt-get install prometheus')

it.runIf(promtool !== null)('the Prometheus of compose.yaml can read its configuration', () => {
  const file = path.resolve(UNITS, '../containers/prometheus.yml')
  expect(ran(promtool ?? '', ['check', 'config', '--syntax-only', file])).toMatchObject({ status: 0 })
})

describe.runIf(analyze !== null)('the units', () => {
  /** A machine on which they are installed, as far as systemd-analyze looks. */
  let root: string
  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), 'acopay-units-'))
    for (const folder of ['etc/systemd/system', 'opt/acopay/current/bin', 'bin', `.${SYSTEM}`]) {
      mkdirSync(path.join(root, folder), { recursive: true })
    }
    for (const name of ['opt/acopay/current/bin/acopay-server', 'bin/sh']) {
      writeFileSync(path.join(root, name), '', { mode: 0o755 })
    }
    for (const name of NAMES) copyFileSync(path.join(UNITS, name), path.join(root, 'etc/systemd/system', name))
    for (const name of TARGETS) {
      if (existsSync(path.join(SYSTEM, name))) copyFileSync(path.join(SYSTEM, name), path.join(root, SYSTEM, name))
    }
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const analyzed = (...args: string[]) => ran(analyze ?? '', [args[0] ?? '', `--root=${root}`, ...args.slice(1)])

  it('have no line that systemd does not know', () => {
    expect(analyzed('verify', ...NAMES)).toEqual({ status: 0, output: '' })
    writeFileSync(
      path.join(root, 'etc/systemd/system/wrong.service'),
      read('acopay.service').replace('ProtectHome=', 'ProtectHmoe='),
    )
    expect(analyzed('verify', 'wrong.service').output).toContain('ProtectHmoe')
  })

  it('expose little: what is left is the network, and the code that V8 makes', () => {
    for (const name of NAMES) {
      const { output } = analyzed('security', '--offline=true', '--no-pager', name)
      const [, exposure = '10'] = /Overall exposure level for \S+: ([\d.]+)/.exec(output) ?? []
      expect(Number(exposure), output).toBeLessThanOrEqual(1.2)
    }
  })
})

it('the migration is confined as the gateway is', () => {
  const confined = (file: string): string[] => {
    const lines = read(file)
      .split('\n')
      .filter((line) => /^[A-Z]\w+=/.test(line))
    const first = lines.indexOf('NoNewPrivileges=yes')
    return lines.slice(first).filter((line) => !/^(WantedBy|Restrict.*NETLINK)/.test(line))
  }
  expect(confined('acopay-migrate.service')).toEqual(confined('acopay.service'))
})

it('a stop has longer than the process ever takes', () => {
  const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(read('acopay.service')) ?? []
  const [, drainMs] = /^ACOPAY_DRAIN_MS=(\d+)$/m.exec(read('acopay.env')) ?? []
  expect(Number(seconds) * 1000).toBeGreaterThan(15_000 + Number(drainMs))
})

it('no secret is in the environment, and the password of the tables’ owner is for the migration alone', () => {
  expect(read('acopay.env')).not.toMatch(
    /^(DATABASE_URL|ACOPAY_MASTER_KEY|ACOPAY_METRICS_TOKEN|ACOPAY_PLATFORM_KEYS)=/m,
  )
  expect(read('acopay.service')).not.toContain('owner_url')
  expect(read('acopay-migrate.service')).toContain('LoadCredential=database_url:/etc/acopay/secrets/database_owner_url')
})
