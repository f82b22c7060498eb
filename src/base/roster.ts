// The open ones of something that comes and goes all the time. With a Set in its place, closed connections outlived the scavenges of a proxy in
// the main thread, presumably held by tables that the Set had outgrown: 48.6 µs a connection, 39.4 without. In a worker thread it makes no difference.

/** What can be on one roster. */
export interface Listed {
  /** The roster's own. */
  place: number
}

export class Roster<Member extends Listed> implements Iterable<Member> {
  readonly #members: Member[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: Member): void {
    member.place = this.#members.push(member) - 1
  }

  /** Does nothing when it is not on the roster. */
  delete(member: Member): void {
    const { place } = member
    if (this.#members[place] !== member) return
    const last = this.#members.pop()
    if (last === undefined || last === member) return
    this.#members[place] = last
    last.place = place
  }

  /** Of those that are on it now, whatever happens to them meanwhile. */
  [Symbol.iterator](): Iterator<Member> {
    return this.#members.slice()[Symbol.iterator]()
  }
}
