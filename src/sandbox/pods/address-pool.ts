// One loopback address a pod, out of 127.10.0.0/16. An address rests as long as possible before it is given out again,
// so that no late request for a dead pod reaches a new one.
export interface AddressPool {
  /** undefined: all are in use. */
  take(): string | undefined
  release(address: string): void
}

/** Last octets 1 to 254 only: .0 and .255 look like networks and broadcasts to people. */
const PER_SUBNET = 254
const SUBNETS = 256

export function createAddressPool(prefix = '127.10'): AddressPool {
  const taken = new Set<string>()
  let next = 0
  return {
    take() {
      for (let tried = 0; tried < PER_SUBNET * SUBNETS; tried++) {
        const address = `${prefix}.${Math.floor(next / PER_SUBNET)}.${(next % PER_SUBNET) + 1}`
        next = (next + 1) % (PER_SUBNET * SUBNETS)
        if (taken.has(address)) continue
        taken.add(address)
        return address
      }
      return undefined
    },
    release(address) {
      taken.delete(address)
    },
  }
}
