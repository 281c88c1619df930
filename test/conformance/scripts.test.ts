/** Every script of every gateway on disk, scenario by scenario (specs/scripts.md). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseScript, runScenario } from '../../src/testing.ts'
import { findInstalled, installed } from './installed.ts'

for (const { name, scripts } of await installed()) {
  for (const { path, text } of scripts) {
    for (const scenario of parseScript(text, path)) {
      test(`${path}: ${scenario.title}`, () => runScenario(scenario, findInstalled))
    }
  }
  test(`${name}: no two scenarios bear one title`, () => {
    const titles = scripts.flatMap(({ path, text }) => parseScript(text, path).map(({ title }) => `${path}: ${title}`))
    assert.deepEqual(
      titles.filter((title, index) => titles.indexOf(title) !== index),
      [],
    )
  })
}
