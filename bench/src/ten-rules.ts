import type { RuleDefinition } from '@broker/server/rules'

/** Rules as a platform team would write them; the checks of the benchmarks are for the last one. */
export const tenRules: readonly RuleDefinition[] = [
  { name: 'suspended', when: '"suspended" in caller.groups', deny: 'suspended' },
  {
    name: 'nightly jobs',
    when: 'caller.issuer == "cluster" && caller.subject.startsWith("system:serviceaccount:jobs:")',
    client: 'reports',
  },
  { name: 'ci', when: '"client:ci" in caller.groups && request.method == "GET"', client: 'reports' },
  {
    name: 'contractors',
    when: 'caller.issuer == "staff" && caller.subject.matches("^ext-[0-9]+$")',
    deny: 'no contractors',
  },
  { name: 'admins', when: '"admins" in caller.groups && caller.claims.acr == "mfa"', client: 'admin' },
  { name: 'metrics', when: 'request.path == "/metrics" && has(caller.clientId)', client: 'reports' },
  {
    name: 'writes',
    when: 'request.method != "GET" && caller.groups.exists(g, g.endsWith("-writers"))',
    client: 'orders',
  },
  {
    name: 'partners',
    when: 'has(caller.claims.partner) && request.path.startsWith("/partners/")',
    client: 'partners',
  },
  {
    name: 'scope',
    when: 'has(caller.claims.scope) && caller.claims.scope.split(" ").exists(s, s == "orders:all")',
    client: 'orders',
  },
  {
    name: 'people',
    when: 'caller.issuer == "staff" && caller.subject != "" && request.method == "GET" && request.path.startsWith("/orders")',
    client: 'orders',
    set: { 'x-caller': 'caller.subject', 'x-email': 'caller.claims.email' },
  },
]
