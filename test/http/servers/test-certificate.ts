import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A key and a certificate for localhost and 127.0.0.1, in PEM. */
export interface TestCertificate {
  readonly key: string
  readonly cert: string
}

/** Makes a self-signed certificate with openssl; `host` is its only name. */
export function makeCertificate(host = 'localhost'): TestCertificate {
  const dir = mkdtempSync(join(tmpdir(), 'trawl-cert-'))
  try {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const names = host === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${host}`
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
        .concat(['-subj', `/CN=${host}`, '-addext', `subjectAltName=${names}`])
        .concat(['-keyout', key, '-out', cert]),
      { stdio: 'pipe' },
    )
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
