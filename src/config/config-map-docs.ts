// docs/configmap.md.
import { CONFIG_MAP_KEYS } from './config-map-keys.ts'
import type { UnsupportedKey } from './config-map-key.ts'
import { OPTIONS, type OptionName } from './options.ts'

const HEAD = `# The ConfigMap

\`--configmap=NAMESPACE/NAME\` names a ConfigMap whose keys set options for the whole controller, under the names that ingress-nginx
has for them. An existing ConfigMap of ingress-nginx can be used as it is: what Narthex does not have is named in Events on it.

\`\`\`
kubectl -n narthex patch configmap narthex --type=merge -p '{"data":{"proxy-body-size":"8m","load-balance":"lc"}}'
\`\`\`

- **Live.** A change is in force on all threads within milliseconds, without a restart and without closing a connection. Requests and
  connections that begin after it have the new values: limits and trust of an open connection are those of its beginning, its timeouts
  change at once. What can't change while Narthex runs is only an option, and its key says so.
- **What wins.** Command line, then environment (\`NARTHEX_…\`), then the ConfigMap, then the default. A key that an option overrules
  is named in an Event (\`SettingOverruled\`), so that nobody looks for its effect.
- **Mistakes.** A value that can't be read leaves the value before it, or the default, in force. An Event on the ConfigMap says which, with
  the fix; so do the metric \`narthex_diagnostics\`, the dashboard, and \`narthex check --configmap=NAMESPACE/NAME FILE…\` before it is applied.
- **No ConfigMap** by that name: options and defaults hold until it is there (\`ConfigMapNotFound\`); so they do once it is deleted.
- **Protection.** Where a key asks for a protection that Narthex does not have, all paths answer 503 until it is gone, as it is with
  annotations. Snippets are refused and will never be supported.
- **Annotations** of an Ingress or Service go before the ConfigMap, as they do before an option.

Times are \`60\` (seconds), \`500ms\`, \`60s\`, \`5m\` or \`1h\`; sizes \`512\`, \`8k\` or \`1m\`. Defaults are those of the [options](options.md).

<!-- Generated from src/config/config-map-keys.ts by \`npm run docs\`. -->
`

const OUTCOMES: Readonly<Record<UnsupportedKey['kind'], string>> = {
  ignored: 'it is ignored, with a warning',
  refused: 'it is ignored, with an error',
  closes: 'all paths answer 503',
}

export function configMapDocs(): string {
  const lines = [HEAD]
  for (const [group, keys] of Object.entries(CONFIG_MAP_KEYS)) {
    lines.push(`## ${group}`, '')
    const setting = keys.flatMap((each) => (each.kind === 'sets' ? [`| \`${each.key}\` | ${each.options.map(flag).join(', ')} | ${each.note} |`] : []))
    if (setting.length > 0) lines.push('| key | sets | remarks |', '|---|---|---|', ...setting, '')
    const others = keys.flatMap((each) => (each.kind === 'sets' ? [] : [each]))
    if (others.length === 0) continue
    lines.push('| not supported | because | what happens |', '|---|---|---|')
    for (const [why, same] of Map.groupBy(others, ({ kind, why }) => `${why} | ${OUTCOMES[kind]}`)) lines.push(`| ${same.map(({ key }) => `\`${key}\``).join(', ')} | ${why} |`)
    lines.push('')
  }
  return `${lines.join('\n').trimEnd()}\n`
}

function flag(name: OptionName): string {
  return `\`--${OPTIONS[name].flag}\``
}
