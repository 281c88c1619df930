/** Certificates as openssl makes them, in a folder of their own. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../support/process.ts'
import { program } from './program.ts'

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export class Certificates {
  readonly #folder = mkdtempSync(join(tmpdir(), 'omnigate-tls-'))

  path(file: string): string {
    return join(this.#folder, file)
  }

  read(file: string): Buffer {
    return readFileSync(this.path(file))
  }

  /** Runs openssl in the folder; what it printed. */
  async openssl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(program('openssl'), args, { cwd: this.#folder })
    assert.equal(code, 0, stderr)
    return stdout + stderr
  }

  /** `{name}.pem` signs itself; its key is `{name}-key.pem`. */
  async selfSigned(name: string, subject: string, ...more: readonly string[]): Promise<void> {
    const files = ['-keyout', `${name}-key.pem`, '-out', `${name}.pem`]
    await this.openssl('req', '-x509', ...EC_KEY, ...files, '-days', '2', '-subj', subject, ...more)
  }

  /** As `selfSigned`, for a server on this machine. */
  async ofServer(name: string): Promise<{ readonly cert: string; readonly key: string }> {
    await this.selfSigned(name, '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    return { cert: this.path(`${name}.pem`), key: this.path(`${name}-key.pem`) }
  }

  /** A client certificate that `ca` signs. */
  async signed(name: string, subject: string, ca = 'ca'): Promise<void> {
    await this.openssl('req', ...EC_KEY, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', subject)
    const files = ['-in', `${name}.csr`, '-CA', `${ca}.pem`, '-CAkey', `${ca}-key.pem`, '-out', `${name}.pem`]
    await this.openssl('x509', '-req', ...files, '-CAcreateserial', '-days', '2')
  }

  delete(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
