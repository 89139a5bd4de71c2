/** nginx and Caddy with the files of deploy/proxies, in front of a gateway on this machine, and callers from several of its addresses. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import forge from 'node-forge'
import { pemKeys } from './keys.ts'
import { programAt } from './programs.ts'

export type ProxyUnderTest = {
  port: number
  /** Over HTTP, without TLS. */
  plainPort: number
  url: string
  /** A file with the certificate, for programs that shall believe it. */
  caFile: string
  /** Every line of its access log so far. */
  logged: () => string
  stop: () => Promise<void>
}

export type ProxyName = 'nginx' | 'caddy'

/** Null where it is not installed. */
export const proxyProgram = (name: ProxyName): string | null => programAt(name, `apt-get install ${name}`)

const FILES = path.resolve(import.meta.dirname, '../../deploy/proxies')

/** Operators of these tests call from 127.0.0.1, everyone else from other addresses of this machine. */
const OPERATORS = '127.0.0.1/32'

/** Starts it in front of gateways, each a host and a port. */
export async function startProxy(name: ProxyName, gateways: string[]): Promise<ProxyUnderTest> {
  const folder = mkdtempSync(path.join(tmpdir(), `acopay-${name}-`))
  const [port, plainPort] = [await freePort(), await freePort()]
  const caFile = writeCertificate(folder)
  const child = (name === 'nginx' ? startNginx : startCaddy)({ folder, port, plainPort, gateways })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(String(chunk)))
  const ended = once(child, 'exit')
  await Promise.race([
    listening(port),
    ended.then(() => {
      throw new Error(output.join(''))
    }),
  ])
  return {
    ...{ port, plainPort, caFile },
    url: `https://localhost:${port}`,
    logged: () => (name === 'nginx' ? readFileSync(path.join(folder, 'access.log'), 'utf8') : output.join('')),
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

type Start = { folder: string; port: number; plainPort: number; gateways: string[] }

function startNginx({ folder, port, plainPort, gateways }: Start): ChildProcess {
  const inFolder = (file: string): string => path.join(folder, file)
  const site = readFileSync(path.join(FILES, 'nginx.conf'), 'utf8')
    .replaceAll('pay.example.com', 'localhost')
    .replace(/server 127\.0\.0\.1:8080 (.*;)/, (_, how) => gateways.map((one) => `server ${one} ${how}`).join(' '))
    .replaceAll('[::]:', '[::1]:')
    .replace(/listen( \[::1\]:| )443/g, (_, host) => `listen${host === ' ' ? ' ' : host}${port}`)
    .replace(/listen( \[::1\]:| )80;/g, (_, host) => `listen${host === ' ' ? ' ' : host}${plainPort};`)
    .replaceAll('/etc/ssl/acopay', folder)
    .replaceAll('/var/log/nginx/acopay.log', inFolder('access.log'))
    .replace(/127\.0\.0\.0\/8 {4}1;/, `${OPERATORS} 1;`)
  writeFileSync(inFolder('site.conf'), site)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${inFolder(one)};`,
  )
  const main = [
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    `daemon off; worker_processes 1; pid ${inFolder('pid')}; error_log ${inFolder('error.log')};`,
    `events { worker_connections 256; } http { access_log off; ${temporary.join(' ')} include ${inFolder('site.conf')}; }`,
  ]
  writeFileSync(inFolder('nginx.conf'), main.join('\n'))
  return spawn(proxyProgram('nginx') ?? '', ['-p', folder, '-e', inFolder('error.log'), '-c', inFolder('nginx.conf')])
}

function startCaddy({ folder, port, plainPort, gateways }: Start): ChildProcess {
  const env = {
    ...process.env,
    HOME: folder,
    CADDY_ADMIN: 'off',
    HTTP_PORT: String(plainPort),
    HTTPS_PORT: String(port),
    ACOPAY_DOMAIN: 'localhost',
    ACOPAY_GATEWAYS: gateways.join(' '),
    ACOPAY_CONSOLE_NETWORKS: OPERATORS,
    ACOPAY_TLS: `tls ${path.join(folder, 'fullchain.pem')} ${path.join(folder, 'privkey.pem')}`,
  }
  const args = ['run', '--adapter', 'caddyfile', '--config', path.join(FILES, 'Caddyfile')]
  return spawn(proxyProgram('caddy') ?? '', args, { env })
}

/** For the host `localhost`. Answers the certificate's file. */
function writeCertificate(folder: string): string {
  const { privatePem, publicPem } = pemKeys('proxy', 2048)
  const made = forge.pki.createCertificate()
  made.serialNumber = '01'
  made.publicKey = forge.pki.publicKeyFromPem(publicPem)
  const name = [{ shortName: 'CN', value: 'localhost' }]
  made.setSubject(name)
  made.setIssuer(name)
  made.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
  ])
  made.validity.notBefore = new Date('2020-01-01T00:00:00Z')
  made.validity.notAfter = new Date('2049-01-01T00:00:00Z')
  made.sign(forge.pki.privateKeyFromPem(privatePem), forge.md.sha256.create())
  writeFileSync(path.join(folder, 'fullchain.pem'), forge.pki.certificateToPem(made))
  writeFileSync(path.join(folder, 'privkey.pem'), privatePem)
  return path.join(folder, 'fullchain.pem')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
}

export type Ask = {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** The address of this machine that it comes from. */
  from?: string
}

export type Told = { status: number; headers: IncomingMessage['headers']; text: string }

/** The answer once its head is there; its body may go on. */
export async function begin(
  proxy: ProxyUnderTest,
  { path: place, method, headers, body, from }: Ask,
): Promise<IncomingMessage> {
  const asked = httpsRequest({
    ...{ host: '127.0.0.1', servername: 'localhost', port: proxy.port, path: place, agent: false },
    ...{ method: method ?? 'GET', localAddress: from ?? '127.0.0.1', ca: readFileSync(proxy.caFile) },
    headers: { host: 'localhost', ...headers },
  })
  // A proxy may refuse before it has read the body, and end the connection.
  asked.on('error', () => {}).end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return answer
}

export async function ask(proxy: ProxyUnderTest, asked: Ask): Promise<Told> {
  const answer = await begin(proxy, asked)
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return { status: answer.statusCode ?? 0, headers: answer.headers, text }
}
