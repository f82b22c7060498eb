// The routes of one host as a lookup structure: exact paths in a map, prefixes in a tree of path elements.
// Cost of a lookup follows the depth of the prefixes that exist, not their number, and not the length of the request's path.
import type { Route } from '../model/routing.ts'
import { comparePrecedence, precedenceOf } from './precedence.ts'

export interface PathTable {
  readonly exact: ReadonlyMap<string, Route>
  readonly prefixes: PathElement
}

interface PathElement {
  readonly route: Route | undefined
  /** By the next path element; undefined where no longer prefix exists. */
  readonly children: ReadonlyMap<string, PathElement> | undefined
}

interface Draft {
  route: Route | undefined
  children: Map<string, Draft> | undefined
}

const SLASH = 47

export function compilePaths(host: string, routes: readonly Route[]): PathTable {
  const exact = new Map<string, Route>()
  const prefixes: Draft = { route: undefined, children: undefined }
  for (const route of routes) {
    if (route.pathType === 'Exact') exact.set(route.path, better(host, exact.get(route.path), route))
    else {
      let at = prefixes
      for (const element of elementsOf(route.path)) at = childOf(at, element)
      at.route = better(host, at.route, route)
    }
  }
  return { exact, prefixes }
}

/** The best route of the host for a path; undefined when none matches. */
export function matchPath(table: PathTable, path: string): Route | undefined {
  if (table.exact.size > 0) {
    const exact = table.exact.get(path)
    if (exact !== undefined) return exact
  }
  let at = table.prefixes
  let found = at.route
  if (path.charCodeAt(0) !== SLASH) return found
  let start = 1
  while (at.children !== undefined) {
    let end = path.indexOf('/', start)
    if (end === -1) end = path.length
    const child = at.children.get(path.slice(start, end))
    if (child === undefined) return found
    if (child.route !== undefined) found = child.route
    if (end === path.length) return found
    at = child
    start = end + 1
  }
  return found
}

/** Whether one route matches a path, by itself: the definition that the lookup is held against. */
export function pathMatches(route: Route, path: string): boolean {
  if (route.pathType === 'Exact') return path === route.path
  const prefix = route.path.endsWith('/') ? route.path.slice(0, -1) : route.path
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`)
}

/** `/a/b` and `/a/b/` are the same elements; `/` has none. */
function elementsOf(path: string): string[] {
  const elements = path.split('/').slice(1)
  if (elements.at(-1) === '') elements.pop()
  return elements
}

function childOf(parent: Draft, element: string): Draft {
  parent.children ??= new Map()
  let child = parent.children.get(element)
  if (child === undefined) {
    child = { route: undefined, children: undefined }
    parent.children.set(element, child)
  }
  return child
}

function better(host: string, held: Route | undefined, route: Route): Route {
  if (held === undefined) return route
  return comparePrecedence(precedenceOf(host, held), precedenceOf(host, route)) <= 0 ? held : route
}
