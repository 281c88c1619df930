/**
 * Inputs that are worth beginning from, beside the vectors: `corpus/<gateway>.hex`, one input a line, `#` begins a comment.
 * What a fuzz run found belongs there when it was mended.
 */
import { existsSync } from 'node:fs'
import { bytesOf } from '../conformance/installed.ts'
import { inProject, readText } from '../support/project.ts'

export function corpusOf(gateway: string): Uint8Array[] {
  const path = `test/fuzz/corpus/${gateway}.hex`
  return existsSync(inProject(path)) ? parseCorpus(readText(path)) : []
}

export function parseCorpus(text: string): Uint8Array[] {
  return text.split('\n').flatMap((line) => {
    const hex = line.replace(/#.*/, '').trim()
    return hex === '' ? [] : [bytesOf(hex)]
  })
}
