// Rules for the release workflows: sentences about everything that keeps a release from being published, signed or traced.
// Their syntax, the pins of the actions and the permissions at the top are the matter of scripts/deploy/validate-deploy.mjs.

/** `release` and `container` are the parsed workflows. */
export function workflowFaults({ release, container }) {
  const { publish, sbom, container: call } = release.jobs
  const { image, chart } = container.jobs
  return [
    ...jobFaults('publish', publish, { 'id-token': 'write', contents: 'write' }),
    ...(publish?.environment === 'npm' ? [] : ['publish has not the environment npm, which npm trusts']),
    ...(environmentOf(publish, 'changesets/action/publish').PNPM_CONFIG_PROVENANCE === 'true'
      ? []
      : ['publish does not set PNPM_CONFIG_PROVENANCE: npm shows no provenance']),
    ...orderFaults('publish', publish, 'placeholders.mjs --require-none', 'changesets/action/publish'),
    ...secretFaults('publish', publish),
    ...jobFaults('sbom', sbom, { 'id-token': 'write', contents: 'write' }),
    ...orderFaults('sbom', sbom, 'scripts/release/sbom.mjs', 'gh release upload'),
    ...signatureFaults('sbom', sbom, 'cosign sign-blob --yes'),
    ...jobFaults('container', call, { 'id-token': 'write', packages: 'write' }),
    ...jobFaults('image', image, { 'id-token': 'write', packages: 'write' }),
    ...orderFaults('image', image, 'placeholders.mjs --require-none', 'docker/build-push-action'),
    ...orderFaults('image', image, 'scripts/release/image-tags.mjs', 'docker/build-push-action'),
    ...imageFaults(image),
    ...signatureFaults('image', image, 'cosign sign --yes'),
    ...jobFaults('chart', chart, { 'id-token': 'write', packages: 'write' }),
    ...(chart?.needs === 'image' ? [] : ['chart does not wait for the image that it names']),
    ...orderFaults('chart', chart, 'docker/login-action', 'helm push'),
    ...signatureFaults('chart', chart, 'cosign sign --yes'),
  ]
}

/** The environment of the step that publishes to npm. */
export function publishEnvironment({ jobs }) {
  return environmentOf(jobs.publish, 'changesets/action/publish')
}

function jobFaults(name, job, permissions) {
  if (!job) return [`there is no job ${name}`]
  const faults = Object.entries(permissions)
    .filter(([permission, level]) => job.permissions?.[permission] !== level)
    .map(([permission, level]) => `${name} lacks the permission ${permission}: ${level}`)
  const allowed = { contents: 'read', ...permissions }
  for (const [permission, level] of Object.entries(job.permissions ?? {})) {
    const isNeeded = allowed[permission] === level || (level === 'read' && allowed[permission] === 'write')
    if (!isNeeded) faults.push(`${name} has the permission ${permission}: ${level}, which it does not need`)
  }
  return faults
}

function orderFaults(name, job, first, second) {
  const texts = (job?.steps ?? []).map(({ uses = '', run = '' }) => `${uses}\n${run}`)
  const indexes = [first, second].map(text => texts.findIndex(found => found.includes(text)))
  if (indexes[1] < 0) return [`${name} has no step with ${second}`]
  // In one step, the order of its lines counts.
  const isInOrder =
    indexes[0] === indexes[1]
      ? texts[indexes[0]].indexOf(first) < texts[indexes[0]].indexOf(second)
      : indexes[0] >= 0 && indexes[0] < indexes[1]
  return isInOrder ? [] : [`${name} does not run ${first} before ${second}`]
}

function signatureFaults(name, job, command) {
  const faults = orderFaults(name, job, 'sigstore/cosign-installer@', command)
  const text = (job?.steps ?? [])
    .map(({ run = '', env = {} }) => `${run}\n${Object.values(env).join('\n')}`)
    .join('\n')
  // A tag can move between the push and the signature.
  if (command.startsWith('cosign sign ') && !/digest/i.test(text))
    faults.push(`${name} signs a tag, not a digest`)
  if (/--key\b/.test(text)) faults.push(`${name} signs with a key, which can be stolen`)
  return faults
}

function imageFaults(image) {
  const inputs = stepOf(image, 'docker/build-push-action')?.with ?? {}
  const faults = []
  if (inputs.push !== true) faults.push('image is not pushed')
  if (inputs.sbom !== true) faults.push('image has no SBOM')
  if (!/^(?:mode=max|true)$/.test(`${inputs.provenance}`)) faults.push('image has no provenance')
  if (!/steps\.\w+\.outputs\.tags/.test(inputs.tags ?? ''))
    faults.push('image does not take its tags from image-tags.mjs')
  return faults
}

/** Trusted publishing needs none; a token in the environment would be used instead, and can be stolen. */
function secretFaults(name, job) {
  const found = JSON.stringify(job ?? {}).match(/secrets\.(?!GITHUB_TOKEN)\w+|NODE_AUTH_TOKEN|NPM_TOKEN/)
  return found ? [`${name} uses ${found[0]}: trusted publishing needs no secret`] : []
}

function stepOf(job, action) {
  return job?.steps?.find(({ uses }) => uses?.startsWith(`${action}@`))
}

function environmentOf(job, action) {
  return { ...job?.env, ...stepOf(job, action)?.env }
}
