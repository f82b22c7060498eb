// The texts of --help, one a command, each with examples.
import { optionHelp } from '../config/help.ts'

export const COMMANDS = {
  run: 'serve the Ingresses of a cluster',
  sandbox: 'an embedded Kubernetes API with simulated pods, and the controller against it',
  'sandbox services': 'print the addresses of Services in a running sandbox, and who is behind them',
  check: 'translate YAML offline and print what is wrong with it',
  routes: 'print the routes of a running controller, or of YAML files',
  explain: 'say which rule serves a URL, and why the others do not',
} as const

export type CommandName = keyof typeof COMMANDS

export function overview(): string {
  return `Narthex, a Kubernetes Ingress controller with a proxy of its own.

Usage: narthex COMMAND [options]

${Object.entries(COMMANDS).map(([name, what]) => `  ${name.padEnd(18)}${what}`).join('\n')}

  narthex COMMAND --help     options and examples
  narthex --version

Try it:  narthex sandbox --apply examples/
`
}

const EXAMPLES: Readonly<Record<CommandName, string>> = {
  run: `  narthex run                                          # in a cluster, or with KUBECONFIG
  narthex run --kubeconfig ~/.kube/config --http-port 8080 --https-port 8443
  narthex run --controller-class=k8s.io/ingress-nginx --ingress-class=nginx   # take over from ingress-nginx`,
  sandbox: `  narthex sandbox --apply examples/
  export KUBECONFIG=$PWD/.narthex/kubeconfig
  kubectl get ingress -A
  narthex sandbox --api-only --api-port 0              # only the API, for another controller`,
  'sandbox services': `  narthex sandbox services                             # as ipvsadm -Ln shows it
  narthex sandbox services --api http://127.0.0.1:6443 -o json`,
  check: `  narthex check ingress.yaml service.yaml
  narthex check manifests/                             # exit status 1 when there are errors
  narthex check --ingress-class=nginx ingresses.yaml   # what of Ingresses for ingress-nginx would be served
  narthex check --configmap narthex/narthex manifests/ # with the settings of a ConfigMap among them`,
  routes: `  narthex routes                                       # of the controller on this machine
  narthex routes --admin http://127.0.0.1:10254 -o json
  narthex routes examples/                             # of files, offline
  narthex routes --tcp-services-configmap narthex/tcp-services manifests/`,
  explain: `  narthex explain http://shop.example.com/cart
  narthex explain https://127.0.0.1/ -H 'Host: shop.example.com'
  narthex explain http://shop.example.com/ --from 192.0.2.7    # which endpoint this client gets`,
}

const SYNOPSIS: Readonly<Record<CommandName, string>> = {
  run: 'narthex run [options]',
  sandbox: 'narthex sandbox [options]',
  'sandbox services': 'narthex sandbox services [options]',
  check: 'narthex check FILE|DIR… [options]',
  routes: 'narthex routes [FILE|DIR…] [options]',
  explain: 'narthex explain URL [options]',
}

const OF_FILES: readonly (readonly [flag: string, help: string])[] = [
  ['--ingress-class NAME', 'Class of the Ingresses in files. [narthex]'],
  ['--controller-class NAME', 'spec.controller of its IngressClass, where the files hold one. [narthex.ingress.kubernetes.io/controller]'],
  ['--configmap NS/NAME', 'ConfigMap with settings, among the files. [none]'],
  ['--tcp-services-configmap NS/NAME', 'ConfigMap of TCP services, among the files. [none]'],
  ['--udp-services-configmap NS/NAME', 'ConfigMap of UDP services, among the files. [none]'],
]

/** Of the commands that start nothing; the option table has those of the others. */
const FLAGS: Readonly<Partial<Record<CommandName, readonly (readonly [flag: string, help: string])[]>>> = {
  'sandbox services': [
    ['--api URL', "The sandbox's Kubernetes API. [$NARTHEX_API, else http://127.0.0.1:6443]"],
    ['-o, --output text|json', 'Form of what is printed. [text]'],
  ],
  check: [
    ...OF_FILES,
    ['-o, --output text|json', 'Form of what is printed. [text]'],
  ],
  routes: [
    ['--admin URL', 'Admin port of the controller. [$NARTHEX_ADMIN, else http://127.0.0.1:10254]'],
    ...OF_FILES,
    ['-o, --output text|json', 'Form of what is printed. [text]'],
  ],
  explain: [
    ["-H, --header 'Name: value'", 'Field of the request; repeatable.'],
    ['-X, --method METHOD', 'Method of the request. [GET]'],
    ['--from IP', 'Address of the client: which endpoint it has, or would get.'],
    ['--admin URL', 'Admin port of the controller. [$NARTHEX_ADMIN, else http://127.0.0.1:10254]'],
    ['-o, --output text|json', 'Form of what is printed. [text]'],
  ],
}

export function usageOf(command: CommandName): string {
  const options =
    command === 'run' || command === 'sandbox'
      ? `\n${optionHelp(command)}\n\nEvery option is an environment variable too: --http-port is NARTHEX_HTTP_PORT.\n`
      : flagHelp(FLAGS[command] ?? [])
  return `${SYNOPSIS[command]}: ${COMMANDS[command]}\n\nExamples:\n${EXAMPLES[command]}\n${options}`
}

function flagHelp(flags: readonly (readonly [flag: string, help: string])[]): string {
  if (flags.length === 0) return ''
  const width = Math.max(...flags.map(([flag]) => flag.length)) + 2
  return `\nOptions:\n${flags.map(([flag, help]) => `  ${flag.padEnd(width)}${help}\n`).join('')}`
}
