// What handshakes are answered from: the table that is in force at that moment.
import type { CertificateLookup } from '../http/tls/contexts.ts'
import { handshakeTerms, serverName, type Table } from '../table/table.ts'

export function certificateLookup(table: () => Table): CertificateLookup {
  return {
    idsFor: (name) => serverName(table(), name),
    certificate: (id) => table().config.certificates.get(id),
    termsFor: (name) => handshakeTerms(table(), name),
  }
}
