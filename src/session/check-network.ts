import { X509Certificate } from 'node:crypto'
import type { NetworkOptions } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { checkLocalAddress, type TlsOptions } from '../http/index.ts'
import { requirePlace } from '../storage/index.ts'

/**
 * Looks at what would fail every request, or all that was done at the end, so that it is told once and before the first
 * request. Throws ERR_CONFIG_INVALID (addresses of this machine, certificates, keys), and ERR_IO where the cookies cannot
 * be saved.
 */
export async function checkNetwork(network: NetworkOptions, tls: TlsOptions | undefined): Promise<void> {
  if (network.interface !== undefined) await checkLocalAddress(network.interface)
  if (network.caCertificate !== undefined) checkAuthorities(tls?.ca, network.caCertificate)
  if (tls?.cert !== undefined) await checkClient(tls, network)
  if (network.saveCookies !== undefined) requirePlace(network.saveCookies, '--save-cookies')
}

/** Node passes over what is no certificate, and then trusts nobody. */
function checkAuthorities(pem: TlsOptions['ca'], file: string): void {
  const blocks =
    String(pem).match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ??
    (/-----BEGIN (TRUSTED|X509) CERTIFICATE-----/.test(String(pem)) ? [] : undefined)
  if (!blocks) throw refused(`--ca-certificate: ${file} has no certificate in PEM form`, undefined)
  for (const [index, block] of blocks.entries()) {
    try {
      void new X509Certificate(block).fingerprint256
    } catch (error) {
      throw refused(`--ca-certificate: certificate ${index + 1} of ${file} cannot be read`, error)
    }
  }
}

async function checkClient({ cert, key }: TlsOptions, network: NetworkOptions): Promise<void> {
  const { createSecureContext } = await import('node:tls')
  const { clientCertificate = '', clientKey } = network
  const tries = [
    [{ cert }, `--client-certificate: ${clientCertificate} has no certificate in PEM form`],
    [
      { key },
      clientKey === undefined
        ? `--client-certificate: ${clientCertificate} has no key in PEM form that needs no password; give --client-key`
        : `--client-key: ${clientKey} has no key in PEM form that needs no password`,
    ],
    [{ cert, key }, `--client-key: the key does not belong to the certificate ${clientCertificate}`],
  ] as const
  for (const [part, message] of tries) {
    try {
      createSecureContext(part)
    } catch (error) {
      throw refused(message, error)
    }
  }
}

function refused(message: string, cause: unknown): TrawlError {
  return new TrawlError('ERR_CONFIG_INVALID', message, {
    hint: 'Give a file in PEM form: text that begins with -----BEGIN.',
    ...(cause === undefined ? {} : { cause }),
  })
}
