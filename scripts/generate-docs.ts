// Writes the documentation that is made from tables in the code. A test fails when they differ.
import { writeFileSync } from 'node:fs'
import { configMapDocs } from '../src/config/config-map-docs.ts'
import { optionDocs } from '../src/config/help.ts'
import { annotationDocs } from '../src/translate/annotations/docs.ts'

writeFileSync('docs/options.md', optionDocs())
writeFileSync('docs/configmap.md', configMapDocs())
writeFileSync('docs/annotations.md', annotationDocs())
