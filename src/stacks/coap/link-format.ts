/** Web links as text, and the filter of resource discovery: RFC 6690 sections 2 and 4.1. */

/** A value, or true for an attribute that has none (`obs`). Space-separated lists as one string. */
export type LinkAttribute = string | number | true

export interface Link {
  readonly target: string
  readonly attributes: Readonly<Record<string, LinkAttribute>>
}

export function formatLinks(links: readonly Link[]): string {
  return links.map(formatLink).join(',')
}

function formatLink({ target, attributes }: Link): string {
  const parts = Object.entries(attributes).map(([name, value]) => {
    if (value === true) return `;${name}`
    return typeof value === 'number' ? `;${name}=${value}` : `;${name}="${value.replace(/["\\]/g, '\\$&')}"`
  })
  return `<${target}>${parts.join('')}`
}

/** The links that a query asks for, `rt=core.ps` or `href=/up*`; all of them without one. Only the first query counts. */
export function filterLinks(links: readonly Link[], query: string | undefined): readonly Link[] {
  const equals = query?.indexOf('=') ?? -1
  if (query === undefined || equals <= 0) return links
  const name = query.slice(0, equals)
  const pattern = query.slice(equals + 1)
  return links.filter((link) => valuesOf(link, name).some((value) => matches(value, pattern)))
}

function valuesOf(link: Link, name: string): readonly string[] {
  if (name === 'href') return [link.target]
  const value = link.attributes[name]
  if (value === undefined) return []
  if (value === true) return ['']
  return typeof value === 'number' ? [String(value)] : value.split(' ')
}

/** RFC 6690 4.1: a trailing `*` matches any value that begins so. */
function matches(value: string, pattern: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
}
