/**
 * Commands in Markdown that are run as written. A fenced block with the info string
 *
 *     sh run              runs to its end, and must succeed
 *     sh run background   one command that keeps running, like in a second terminal
 *     text output         directly after one of those: what it prints
 *
 * A comment `<!-- gateways: mqtt coap -->` in the document names the gateways that it needs.
 *
 * In expected output `...` alone on a line stands for any lines, and within a line for any characters.
 */

export interface Block {
  /** `README.md:12` */
  readonly place: string
  readonly commands: string
  readonly background: boolean
  /** Undefined when the document does not say. */
  readonly output: string | undefined
}

interface Fence {
  readonly info: string
  readonly line: number
  readonly text: string
  /** Only blank lines stand between this fence and the one before. */
  readonly follows: boolean
}

function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = []
  let open: { mark: string; info: string; line: number; text: string[]; follows: boolean } | undefined
  let onlyBlanks = false
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line)
    if (open !== undefined) {
      if (fence?.[1]?.startsWith(open.mark) && fence[2] === '') {
        fences.push({ info: open.info, line: open.line, text: open.text.join('\n'), follows: open.follows })
        open = undefined
        onlyBlanks = true
      } else open.text.push(line)
    } else if (fence !== null) {
      open = { mark: fence[1] ?? '', info: (fence[2] ?? '').trim(), line: index + 1, text: [], follows: onlyBlanks }
    } else if (line.trim() !== '') onlyBlanks = false
  }
  if (open !== undefined) throw new Error(`the block that begins in line ${open.line} does not end`)
  return fences
}

/** The commands of a document, in order. Throws where the marks make no sense. */
export function blocksOf(document: string, markdown: string): Block[] {
  const blocks: Block[] = []
  let last: Fence | undefined
  for (const fence of fencesOf(markdown)) {
    const place = `${document}:${fence.line}`
    if (/^sh run( background)?$/.test(fence.info)) {
      const background = fence.info.endsWith('background')
      if (background && fence.text.includes('\n')) throw new Error(`${place}: one command, so that one signal ends it`)
      blocks.push({ place, commands: fence.text, background, output: undefined })
    } else if (fence.info === 'text output') {
      const block = blocks.at(-1)
      if (block === undefined || !fence.follows || last?.info.startsWith('sh run') !== true) {
        throw new Error(`${place}: output of what? It must follow a block that is run`)
      }
      blocks[blocks.length - 1] = { ...block, output: fence.text }
    } else if (/\brun\b|\boutput\b/.test(fence.info)) throw new Error(`${place}: unknown mark \`${fence.info}\``)
    last = fence
  }
  return blocks
}

function lineMatches(expected: string, actual: string): boolean {
  const parts = expected
    .trimEnd()
    .split('...')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(actual.trimEnd())
}

/** The first expected line that is not there, or undefined when all is as the document says. */
export function outputFault(expected: string, actual: string): string | undefined {
  const wanted = expected.trimEnd().split('\n')
  const lines = actual.trimEnd().split('\n')
  let at = 0
  let anywhere = false
  for (const line of wanted) {
    if (line.trim() === '...') {
      anywhere = true
      continue
    }
    const from = at
    while (anywhere && at < lines.length && !lineMatches(line, lines[at] ?? '')) at++
    if (at >= lines.length || !lineMatches(line, lines[at] ?? ''))
      return `no line like \`${line}\` from line ${from + 1} of the output`
    at++
    anywhere = false
  }
  return anywhere || at >= lines.length ? undefined : `\`${lines[at]}\` is not expected`
}
