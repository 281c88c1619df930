/** From outcomes of several rounds to rows, a table for people and JSON for programs. */
import type { Outcome } from './measure.ts'
import type { ServerName } from './servers.ts'

/** The JSON row; exactly these keys. Null is "does not apply" or, where everything is null, "failed". */
export interface Row {
  readonly name: string
  readonly server: ServerName
  readonly perCpuSecond: number | null
  readonly perSecond: number | null
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
  readonly rssKb: number | null
  readonly ratio: number | null
}

/** What one workload did on one server, all rounds. */
export interface Series {
  readonly name: string
  readonly title: string
  readonly server: ServerName
  readonly comparedBy?: 'p99Ms' | 'maxMs' | undefined
  readonly outcomes: readonly Outcome[]
  /** The first failure; a series with a failure has no numbers. */
  readonly error: string | undefined
}

export interface Summary {
  readonly row: Row
  readonly title: string
  readonly comparedBy: Series['comparedBy']
  /** CPU seconds per second, 0 to 1 and a little more: of the server and of the generator. */
  readonly serverShare: number | null
  readonly generatorShare: number | null
  readonly error: string | undefined
}

/** The server whose numbers the ratio is about. */
const OURS: ServerName = 'omnigate'

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle]
  if (high === undefined) return null
  const low = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? high) : high
  return (low + high) / 2
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits))
}

function medianOf(outcomes: readonly Outcome[], digits: number, pick: (outcome: Outcome) => number | null): number | null {
  return rounded(median(outcomes.map(pick).filter((value) => value !== null)), digits)
}

function summary(series: Series, name: string, title: string, rssKb: (outcome: Outcome) => number): Summary {
  const outcomes = series.error === undefined ? series.outcomes : []
  return {
    row: {
      name,
      server: series.server,
      perCpuSecond: medianOf(outcomes, 0, (o) => ('load' in o ? o.load.delivered / o.load.serverCpuSeconds : null)),
      perSecond: medianOf(outcomes, 0, (o) => ('load' in o ? o.load.delivered / o.load.seconds : null)),
      p50Ms: medianOf(outcomes, 3, (o) => ('load' in o ? o.load.p50Ms : null)),
      p99Ms: medianOf(outcomes, 3, (o) => ('load' in o ? o.load.p99Ms : null)),
      maxMs: medianOf(outcomes, 3, (o) => ('load' in o ? o.load.maxMs : null)),
      rssKb: medianOf(outcomes, 3, rssKb),
      ratio: null,
    },
    title,
    comparedBy: series.comparedBy,
    serverShare: medianOf(outcomes, 2, (o) => ('load' in o ? o.load.serverCpuSeconds / o.load.seconds : null)),
    generatorShare: medianOf(outcomes, 2, (o) => ('load' in o ? o.load.generatorCpuSeconds / o.load.seconds : null)),
    error: series.error,
  }
}

/** A load gives one row; memory gives two: KiB of one client, and of the whole process. */
function summaries(series: Series): Summary[] {
  const total = (outcome: Outcome) => ('load' in outcome ? outcome.load.rssKb : outcome.memory.rssKb)
  if (!series.name.startsWith('memory-')) return [summary(series, series.name, series.title, total)]
  const perClient = (outcome: Outcome) =>
    'load' in outcome ? Number.NaN : (outcome.memory.rssKb - outcome.memory.baseKb) / outcome.memory.clients
  const clients = series.outcomes.flatMap((outcome) => ('memory' in outcome ? [outcome.memory.clients] : []))[0]
  return [
    summary(series, series.name, `${series.title}: RSS of one`, perClient),
    summary(series, `${series.name}-total`, `the whole process with ${clients ?? 'all'} of them`, total),
  ]
}

/** How many times better we are: messages per CPU-second against theirs, or their memory or time against ours. */
function ratio(ours: Row | undefined, theirs: Row, comparedBy: Series['comparedBy']): number | null {
  if (ours === undefined) return null
  if (comparedBy !== undefined) {
    const [we, they] = [ours[comparedBy], theirs[comparedBy]]
    return we === null || they === null || we <= 0 ? null : rounded(they / we, 2)
  }
  if (ours.perCpuSecond !== null && theirs.perCpuSecond !== null) return rounded(ours.perCpuSecond / theirs.perCpuSecond, 2)
  if (ours.perCpuSecond !== null || theirs.perCpuSecond !== null) return null
  if (ours.rssKb === null || theirs.rssKb === null || ours.rssKb <= 0) return null
  return rounded(theirs.rssKb / ours.rssKb, 2)
}

export function summarize(all: readonly Series[]): Summary[] {
  const flat = all.flatMap(summaries)
  const order = [...new Set(flat.map(({ row }) => row.name))]
  return flat
    .toSorted((a, b) => order.indexOf(a.row.name) - order.indexOf(b.row.name))
    .map((item) => {
      const ours = flat.find(({ row }) => row.name === item.row.name && row.server === OURS)
      return { ...item, row: { ...item.row, ratio: ratio(ours?.row, item.row, item.comparedBy) } }
    })
}

const COLUMNS = ['server', 'msg/CPU-s', 'msg/s', 'p50 ms', 'p99 ms', 'max ms', 'RSS KiB', 'CPU', 'generator', 'ratio'] as const

function cells({ row, serverShare, generatorShare }: Summary): string[] {
  const count = (value: number | null) => (value === null ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: 0 }))
  const decimal = (value: number | null, digits: number) => (value === null ? '-' : value.toFixed(digits))
  const percent = (value: number | null) => (value === null ? '-' : `${(value * 100).toFixed(0)} %`)
  return [
    row.server,
    count(row.perCpuSecond),
    count(row.perSecond),
    decimal(row.p50Ms, 2),
    decimal(row.p99Ms, 2),
    decimal(row.maxMs, 2),
    row.rssKb !== null && row.rssKb < 100 ? row.rssKb.toFixed(3) : count(row.rssKb),
    percent(serverShare),
    percent(generatorShare),
    row.ratio === null ? '-' : `x${row.ratio.toFixed(2)}`,
  ]
}

/** One block per row name; `ratio` is ours to theirs, above 1 is in our favour. */
export function table(items: readonly Summary[]): string {
  const lines = items.map((item) => ({ item, cells: cells(item) }))
  const widths = COLUMNS.map((title, column) => Math.max(title.length, ...lines.map((line) => line.cells[column]?.length ?? 0)))
  const format = (row: readonly string[]) =>
    `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`
  const out: string[] = []
  let name: string | undefined
  for (const line of lines) {
    if (line.item.row.name !== name) {
      name = line.item.row.name
      out.push('', `${name}: ${line.item.title}`, format(COLUMNS))
    }
    out.push(line.item.error === undefined ? format(line.cells) : `  ${line.item.row.server}  ERROR: ${line.item.error}`)
  }
  return out.join('\n')
}
