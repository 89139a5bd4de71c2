/** The chart of deploy/chart by Helm itself, and its manifests by Kubernetes' own types. No cluster is asked. */
import './support/only-long.ts'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { helmAt, programAt, ran } from './support/programs.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const CHART = path.join(ROOT, 'deploy', 'chart', 'acopay')
const helm = helmAt()
const promtool = programAt('promtool', 'apt-get install prometheus')

let folder: string
// Not while the file is loaded: where there is no Helm all its tests are skipped, and no hook would remove the folder.
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-chart-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const KEY = Buffer.alloc(32, 7).toString('base64')
const NEEDED = {
  publicUrl: 'https://pay.example.com',
  secrets: { databaseUrl: 'postgresql://acopay_serve:x@db/acopay', masterKey: KEY },
}
/** Everything that can be turned on. */
const ALL = {
  publicUrl: NEEDED.publicUrl,
  secrets: { ...NEEDED.secrets, ownerDatabaseUrl: 'postgresql://acopay_owner:x@db/acopay' },
  migrations: { servingRole: 'acopay_serve' },
  ingress: { enabled: true, className: 'nginx', host: 'pay.example.com', tlsSecret: 'tls', console: true },
  autoscaling: { enabled: true },
  metrics: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } },
  imagePullSecrets: [{ name: 'pull' }],
  priorityClassName: 'high',
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'a', operator: 'Exists' }],
  podAnnotations: { a: 'b' },
  podLabels: { c: 'd' },
  networkPolicy: { from: [{ namespaceSelector: { matchLabels: { name: 'ingress' } } }] },
  extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/ca' }],
}

type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string; annotations?: Record<string, string> }
  // biome-ignore lint/suspicious/noExplicitAny: as many shapes as there are kinds; the compiler checks each below.
  spec: any
}

function helmWith(command: string[], values: object) {
  const file = path.join(folder, 'values.yaml')
  writeFileSync(file, stringify(values))
  return ran(helm ?? '', [...command, CHART, '--values', file])
}

function manifests(values: object): Manifest[] {
  const { status, output } = helmWith(['template', 'pay'], values)
  if (status !== 0) throw new Error(output)
  return parseAllDocuments(output.replace(/^level=INFO.*\n/gm, '')).flatMap((one) => (one.toJSON() as Manifest) ?? [])
}

const find = (all: Manifest[], kind: string): Manifest => all.find((one) => one.kind === kind) ?? expect.fail(kind)

/** Where the type of a manifest is declared; null for kinds that Kubernetes itself does not have. */
function moduleOf({ apiVersion }: Manifest): string | null {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion]
  if (group === 'monitoring.coreos.com') return null
  return `kubernetes-types/${group.replace(/\.k8s\.io$/, '')}/${version}`
}

/** What the compiler says of the manifests as values of Kubernetes' types: an unknown field is an error, and so is a missing one. */
function typeErrors(all: Manifest[]): string[] {
  const file = path.join(ROOT, 'test', 'manifests-of-the-chart.ts')
  const text = all
    .flatMap((one, n) =>
      moduleOf(one) === null
        ? []
        : [`export const m${n}: import('${moduleOf(one)}').${one.kind} = ${JSON.stringify(one)}`],
    )
    .join('\n')
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, target) =>
    name === file ? ts.createSourceFile(name, text, target) : getSourceFile(name, target)
  const program = ts.createProgram([file], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

describe.runIf(helm !== null)('the chart', () => {
  it('passes helm lint, with little and with everything turned on', () => {
    for (const values of [NEEDED, ALL]) {
      const { status, output } = helmWith(['lint', '--strict'], values)
      expect([status, output]).toEqual([0, expect.stringContaining('0 chart(s) failed')])
    }
  })

  it('makes manifests that Kubernetes knows, field by field', () => {
    const all = manifests(ALL)
    expect(all.map(({ kind }) => kind).sort()).toEqual([
      ...[
        'Deployment',
        'HorizontalPodAutoscaler',
        'Ingress',
        'Job',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'PrometheusRule',
      ],
      ...['Secret', 'Secret', 'Service', 'Service', 'ServiceAccount', 'ServiceMonitor'],
    ])
    expect(typeErrors([...manifests(NEEDED), ...all])).toEqual([])
    const { spec } = find(all, 'Deployment')
    spec.template.spec.terminationGracePeriod = 1
    expect(typeErrors(all)[0]).toContain('terminationGracePeriod')
  })

  it.each([
    ['no public address', { ...NEEDED, publicUrl: '' }, 'publicUrl'],
    ['an address without TLS', { ...NEEDED, publicUrl: 'http://pay.example.com' }, 'publicUrl'],
    ['a value that nobody reads', { ...NEEDED, replcas: 3 }, 'replcas'],
    ['a key that is no key', { ...NEEDED, secrets: { ...NEEDED.secrets, masterKey: 'short' } }, 'masterKey'],
    ['a secret among the settings', { ...NEEDED, settings: { ACOPAY_MASTER_KEY: KEY } }, 'ACOPAY_MASTER_KEY'],
    ['a database that is not named', { ...NEEDED, secrets: { masterKey: KEY } }, 'secrets.databaseUrl'],
  ])('refuses %s, and names it', (_what, values, named) => {
    const { status, output } = helmWith(['template', 'pay'], values)
    expect([status, output]).toEqual([1, expect.stringContaining(named)])
  })

  it('replaces gateways one by one, each new one ready before an old one ends, and gives each time to end', () => {
    const { spec } = find(manifests(NEEDED), 'Deployment')
    expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 })
    const pod = spec.template.spec
    const [gateway] = pod.containers
    const drainMs = Number(gateway.env.find(({ name }: { name: string }) => name === 'ACOPAY_DRAIN_MS').value)
    // The process ends by itself within 15 s after that.
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(drainMs + 15_000)
    // /readyz answers within 2 s.
    expect(gateway.readinessProbe).toMatchObject({ httpGet: { path: '/readyz' }, timeoutSeconds: 4 })
    expect([gateway.livenessProbe.httpGet.path, gateway.startupProbe.httpGet.path]).toEqual(['/healthz', '/healthz'])
    expect(spec.replicas).toBe(2)
    expect(find(manifests(ALL), 'Deployment').spec.replicas).toBeUndefined()
  })

  it('brings the database to its version before anything else, as the owner of the tables', () => {
    const all = manifests(ALL)
    const { metadata, spec } = find(all, 'Job')
    expect(metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade')
    const [container] = spec.template.spec.containers
    expect(container.args).toEqual(['migrate', 'up', '--serving-role', 'acopay_serve'])
    const secretOf = ({ spec: { template } }: Manifest) => template.spec.volumes[0].secret.secretName
    expect([secretOf(find(all, 'Job')), secretOf(find(all, 'Deployment'))]).toEqual([
      'pay-acopay-migrate',
      'pay-acopay',
    ])
    const owner = all.find(({ kind, metadata: { name } }) => kind === 'Secret' && name === 'pay-acopay-migrate')
    const weight = (one?: Manifest) => Number(one?.metadata.annotations?.['helm.sh/hook-weight'])
    expect(weight(owner)).toBeLessThan(weight(find(all, 'Job')))
  })

  it('gives pods what the restricted standard allows, and secrets as files', () => {
    const all = manifests(ALL)
    for (const kind of ['Deployment', 'Job']) {
      const pod = find(all, kind).spec.template.spec
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      for (const { securityContext, env } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(JSON.stringify(env)).not.toContain(KEY)
        expect(JSON.stringify(env)).not.toContain('postgresql://')
      }
    }
    const named = manifests({ publicUrl: NEEDED.publicUrl, secrets: { existingSecret: 'mine' } })
    expect(named.filter(({ kind }) => kind === 'Secret')).toEqual([])
  })

  it('routes what merchants, payers and upstreams need, and the console only where it is asked for', () => {
    const paths = (values: object): string[] =>
      find(manifests(values), 'Ingress').spec.rules[0].http.paths.map(({ path: one }: { path: string }) => one)
    const { ingress } = ALL
    expect(paths({ ...NEEDED, ingress })).toContain('/console')
    const shown = paths({ ...NEEDED, ingress: { ...ingress, console: false } })
    expect(shown).toEqual(['/pay', '/notify', '/cashier', '/bills', '/reference', '/openapi.json'])
  })

  it('has the alerts of monitoring/, which promtool accepts', () => {
    const { spec } = find(manifests(ALL), 'PrometheusRule')
    expect(spec).toEqual(parse(readFileSync(path.join(ROOT, 'monitoring', 'acopay.rules.yml'), 'utf8')))
    const file = path.join(folder, 'rules.yml')
    writeFileSync(file, stringify(spec))
    if (promtool !== null) expect(ran(promtool, ['check', 'rules', file])).toMatchObject({ status: 0 })
  })

  it('says in both languages what to do next', () => {
    const { output } = helmWith(['install', 'pay', '--dry-run=client'], NEEDED)
    const [, notes = ''] = output.split('NOTES:')
    expect(notes).toMatch(/已部署[\s\S]*is deployed at https:\/\/pay\.example\.com/)
  })
})
