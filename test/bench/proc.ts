/** CPU time and memory of a process, and the CPUs we may use, as Linux tells them: proc(5). */
import { readFileSync } from 'node:fs'

/** USER_HZ: the unit of utime and stime that user space sees, 100 on every architecture Node runs on. */
const TICKS_PER_SECOND = 100

/** User and system time of all threads of a process since it started, in seconds (resolution 10 ms). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The command name in parentheses may hold blanks and parentheses; state, field 3, follows the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const utime = Number(fields[11]) // field 14
  const stime = Number(fields[12]) // field 15
  if (!Number.isFinite(utime) || !Number.isFinite(stime)) throw new Error(`cannot read CPU time of process ${pid}`)
  return (utime + stime) / TICKS_PER_SECOND
}

/** Resident set size of a process in KiB. */
export function rssKb(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (match === null) throw new Error(`cannot read memory of process ${pid}`)
  return Number(match[1])
}

/** The CPUs this process may run on, lowest first. */
export function allowedCpus(): number[] {
  const match = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))
  return parseCpuList(match?.[1] ?? '')
}

/** `0-1,4` to `[0, 1, 4]`. */
export function parseCpuList(list: string): number[] {
  const cpus: number[] = []
  for (const range of list.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range)
    if (match === null) continue
    const first = Number(match[1])
    const last = Number(match[2] ?? first)
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu)
  }
  return cpus
}
