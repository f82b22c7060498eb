// One loopback address a pod, out of 127.10.0.0/16. An address rests as long as possible before it is given out again,
// so that no late request for a dead pod reaches a new one.
export interface AddressPool {
  /** undefined: all are in use. */
  take(): string | undefined
  release(address: string): void
  /** Gives an address back that another program has, and takes one of another /24: that program may well be a second sandbox. */
  exchange(address: string): string | undefined
}

/** Last octets 1 to 254 only: .0 and .255 look like networks and broadcasts to people. */
const PER_SUBNET = 254
const SUBNETS = 256

export function createAddressPool(prefix = '127.10'): AddressPool {
  const taken = new Set<string>()
  let next = 0

  const take = (): string | undefined => {
    for (let tried = 0; tried < PER_SUBNET * SUBNETS; tried++) {
      const address = `${prefix}.${Math.floor(next / PER_SUBNET)}.${(next % PER_SUBNET) + 1}`
      next = (next + 1) % (PER_SUBNET * SUBNETS)
      if (taken.has(address)) continue
      taken.add(address)
      return address
    }
    return undefined
  }

  return {
    take,
    release(address) {
      taken.delete(address)
    },
    exchange(address) {
      taken.delete(address)
      const subnet = Number(address.split('.')[2])
      // Only the first to run into the other program skips; whoever comes behind is beyond it already.
      if (Math.floor(next / PER_SUBNET) === subnet) next = ((subnet + 1) % SUBNETS) * PER_SUBNET
      return take()
    },
  }
}
