/** Certificates for the tests of TLS, made by the openssl command when they are needed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

export interface Certificates {
  /** Signs the others. */
  readonly ca: Certificate
  readonly server: Certificate
  /** Common name `meter-7`. */
  readonly client: Certificate
  /** Common name `meter-7` too, but signed by itself. */
  readonly stranger: Certificate
  remove(): void
}

/** Why the tests that need certificates cannot run, or false. */
export function noOpenssl(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return false
  } catch {
    if (process.env['OMNIGATE_REQUIRE_INTEROP'] === '1') return false
    return 'the openssl command is not installed'
  }
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-tls-'))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const selfSigned = (name: string, commonName: string, ...more: string[]) =>
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-subj',
      `/O=test/CN=${commonName}`,
      ...more,
    )
  const signed = (name: string, commonName: string, extension: string) => {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/O=test/CN=${commonName}`)
    writeFileSync(join(folder, `${name}.ext`), extension)
    const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
    openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-out', `${name}.crt`, '-days', '2', '-extfile', `${name}.ext`)
  }
  const read = (name: string): Certificate => {
    const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile }
  }
  selfSigned('ca', 'test ca', '-addext', 'keyUsage=critical,keyCertSign')
  signed('server', 'localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
  signed('client', 'meter-7', 'extendedKeyUsage=clientAuth')
  selfSigned('stranger', 'meter-7')
  return {
    ca: read('ca'),
    server: read('server'),
    client: read('client'),
    stranger: read('stranger'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
