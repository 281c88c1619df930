/** A small run of the fleet that `npm run fleet` measures: reports, stored points, pictures and commands, and nothing lost. */
import assert from 'node:assert/strict'
import { sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runFleet } from '../bench/fleet.ts'
import { root } from '../support/project.ts'
import { without } from './needs.ts'

const isCompiled = fileURLToPath(import.meta.url).startsWith(`${root}${sep}dist${sep}`)
const linux = process.platform === 'linux' ? false : 'reads /proc'
const skip = (isCompiled ? linux : 'runs the compiled server') || without('mqtt', 'jt808')

test('fifty trucks report every second, send pictures and stored points and take commands: nothing is lost', {
  skip,
}, async () => {
  const { reports, points, pictures, commands, cpuShare } = await runFleet({ trucks: 50, seconds: 6, photos: 3, batches: 2 })
  assert.deepEqual({ reports, points, pictures, commands }, { reports: 300, points: 450, pictures: 100, commands: 50 })
  assert.ok(cpuShare > 0)
})
