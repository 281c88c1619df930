/** The command line of the simulated truck. */
import { parseArgs } from 'node:util'
import { parseRoute, SHANGHAI } from './route.ts'
import type { TruckOptions } from './vehicle.ts'

export const USAGE = `usage: truck [--host 127.0.0.1] [--port 6207] [--phone 013812345678] [--version 2013|2019]
             [--interval 1s] [--count REPORTS] [--plate 沪A12345] [--route "lat,lon;lat,lon;..."]
             [--photos N] [--batches N] [--alarms N]   every N reports a picture, a batch of stored points, an emergency
             [--trucks N]                              so many trucks, their phones counted up from --phone`

export interface CommandLine {
  readonly truck: TruckOptions
  readonly trucks: number
}

/** What was asked for, or what is wrong with it. */
export function readOptions(args: string[]): CommandLine | string {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: {
      host: text,
      port: text,
      phone: text,
      version: text,
      interval: text,
      count: text,
      plate: text,
      route: text,
      photos: text,
      batches: text,
      alarms: text,
      trucks: text,
    },
  })
  const { host = '127.0.0.1', port = '6207', phone = '013812345678', version, interval = '1s', plate, route } = values
  const intervalMs = milliseconds(interval)
  const points = route === undefined ? SHANGHAI : parseRoute(route)
  if (!/^\d{1,5}$/.test(port)) return `--port ${port} is no port`
  if (!/^\d{1,20}$/.test(phone)) return `--phone ${phone} is not 1 to 20 digits`
  if (version !== undefined && version !== '2013' && version !== '2019') return `--version ${version} is neither 2013 nor 2019`
  if (version === '2013' && phone.length > 12) return `--phone ${phone} has more digits than version 2013 takes`
  if (intervalMs === undefined) return `--interval ${interval} is no duration such as 500ms, 1s or 2m`
  if (points === undefined) return '--route takes two or more points: lat,lon;lat,lon'
  const numbers: Record<string, number> = {}
  for (const name of ['count', 'photos', 'batches', 'alarms', 'trucks'] as const) {
    const value = values[name]
    if (value === undefined) continue
    if (!/^[1-9]\d{0,8}$/.test(value))
      return name === 'count' ? `--count ${value} is no number of reports` : `--${name} ${value} is no number`
    numbers[name] = Number(value)
  }
  const { trucks = 1, ...every } = numbers
  const truck: TruckOptions = {
    host,
    port: Number(port),
    phone,
    intervalMs,
    route: points,
    ...every,
    ...(version !== undefined && { version }),
    ...(plate !== undefined && { plate }),
  }
  return { truck, trucks }
}

function milliseconds(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m)$/.exec(text)
  if (match === null || Number(match[1]) === 0) return undefined
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm']
}
