// What DNS says of the name of an ExternalName Service.

export interface ResolvedName {
  /** IP literals, sorted, of both families. */
  readonly addresses: readonly string[]
  /** Why there are none, or why they may be out of date. */
  readonly trouble: NameTrouble | undefined
}

/**
 * absent: DNS says that there is no such name, or no address of it. unanswered: it could not be asked, as `detail` says; addresses
 * are then those found before. too-many: other names took all places.
 */
export type NameTrouble =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unanswered'; readonly detail: string }
  | { readonly kind: 'too-many'; readonly most: number }

/** By name, lower case without a trailing dot. A name that is not there has not been answered yet. */
export type ResolvedNames = ReadonlyMap<string, ResolvedName>

export const NO_NAMES: ResolvedNames = new Map()
