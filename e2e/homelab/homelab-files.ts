import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** The folder of the files that the page shows. */
export const homelabFolder: string = fileURLToPath(new URL('../../deploy/homelab/', import.meta.url))

interface EnvironmentVariable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
}

export interface Container {
  readonly command?: readonly string[]
  readonly env: readonly EnvironmentVariable[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

interface Volume {
  readonly name: string
  readonly emptyDir?: object
  readonly secret?: { readonly secretName: string; readonly defaultMode: number }
  readonly configMap?: { readonly name: string }
}

export interface Deployment {
  readonly spec: {
    readonly replicas: number
    readonly strategy: { readonly type: string }
    readonly template: {
      readonly spec: { readonly containers: readonly Container[]; readonly volumes: readonly Volume[] }
    }
  }
}

export interface ExternalSecret {
  readonly apiVersion: string
  readonly spec: {
    readonly secretStoreRef: { readonly kind: string; readonly name: string }
    readonly target: { readonly name: string }
    readonly data: readonly {
      readonly secretKey: string
      readonly remoteRef: { readonly key: string; readonly property: string }
    }[]
  }
}

export interface Kustomization {
  readonly namespace: string
  readonly resources: readonly string[]
  readonly configMapGenerator: readonly { readonly name: string; readonly files: readonly string[] }[]
}

export interface Service {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly ports: readonly {
      readonly port: number
      readonly targetPort: string
      readonly nodePort: number
    }[]
  }
}

export interface DexConfig {
  readonly issuer: string
  readonly storage: { readonly type: string; readonly config: { readonly file: string } }
  readonly web: { readonly http: string }
  readonly telemetry: { readonly http: string }
  readonly oauth2: { readonly grantTypes: readonly string[] }
  readonly connectors: readonly {
    readonly id: string
    readonly config: Readonly<Record<string, string>>
  }[]
  readonly staticClients: readonly {
    readonly id: string
    readonly secretEnv: string
    readonly redirectURIs?: readonly string[]
    readonly trustedPeers?: readonly string[]
    readonly clientCredentialsClaims?: { readonly groups: readonly string[] }
  }[]
}

export interface BrokerFile {
  readonly clients: readonly {
    readonly clientId: string
    readonly clientSecret: { readonly file: string }
    readonly scope: string
    readonly audiences: readonly string[]
  }[]
}

export function homelabText(file: string): string {
  return readFileSync(`${homelabFolder}${file}`, 'utf8')
}

/** A file as Kubernetes reads it: YAML 1.1, in which 0440 is octal. */
export function homelabFile<Content>(file: string): Content {
  return parse(homelabText(file), { version: '1.1' }) as Content
}

/** The one container of a Deployment. */
export function containerOf({ spec }: Deployment): Container {
  const [container, ...others] = spec.template.spec.containers
  if (container === undefined || others.length > 0) throw new Error('not one container')
  return container
}

/** The variables of a container with their values, without secrets. */
export function plainVariables({ env }: Container): Readonly<Record<string, string>> {
  return Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
}
