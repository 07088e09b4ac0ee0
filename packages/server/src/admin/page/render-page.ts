import { elapsedText } from './elapsed-text.ts'
import { type Html, html, rawText } from './html.ts'
import { pageScript } from './live-page.ts'
import { answersSection, latencySection, overviewSection } from './overview-section.ts'
import { pageIcons } from './page-icons.ts'
import type { PageStatus } from './page-status.ts'
import { pageStyle } from './page-style.ts'
import { moment } from './parts.ts'
import { problemSection } from './problem-section.ts'
import {
  cachesSection,
  certificatesSection,
  configurationSection,
  errorsSection,
} from './resource-sections.ts'
import { circuitsSection, clientsSection, issuersSection, keySetsSection } from './upstream-sections.ts'

/** The changing part of the page. */
export interface PageContent {
  readonly title: string
  /** One of {@link pageIcons}. */
  readonly icon: string
  /** Of the broker: an open page of another version reloads itself. */
  readonly version: string
  readonly main: string
}

/** Renders what changes while the page is open. */
export function pageContent(status: PageStatus): PageContent {
  const { problems } = status
  const isCritical = problems.some(({ severity }) => severity === 'critical')
  const count = problems.length === 0 ? 'OK' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`
  return {
    title: `${count} – dex-token-broker on ${status.replica}`,
    icon: pageIcons[isCritical ? 'critical' : problems.length > 0 ? 'warning' : 'good'],
    version: status.version,
    main: mainOf(status).toString(),
  }
}

/** Renders the whole page. */
export function pageDocument(status: PageStatus): string {
  const { title, icon } = pageContent(status)
  return html`<!doctype html>
<html lang="en" data-version="${status.version}">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${icon}">
<style>${rawText(pageStyle)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
<a class="skip" href="#problems">Skip to problems</a>
<header>
<h1>dex-token-broker</h1>
<p class="replica">${status.replica}</p>
<p class="live" role="status"><span id="live">State at ${moment(status.at, status.at)}</span><span id="age" aria-hidden="true"></span></p>
</header>
<main id="main">${mainOf(status)}</main>
<footer><p>The same as JSON: <a href="status">/status</a>. For Prometheus: <a href="metrics">/metrics</a>. Verbose readiness: <a href="readyz?verbose">/readyz?verbose</a>. The runbook is docs/operations.md.</p></footer>
<script type="module">${rawText(pageScript)}</script>
</body>
</html>
`.toString()
}

function mainOf(status: PageStatus): Html {
  const { version, node, startedAt, at } = status
  return html`${problemSection(status)}
${overviewSection(status)}
${clientsSection(status)}
${issuersSection(status)}
${keySetsSection(status)}
${circuitsSection(status)}
${cachesSection(status)}
${latencySection(status)}
${answersSection(status)}
${certificatesSection(status)}
${errorsSection(status)}
${configurationSection(status)}
<p class="version wide">Version ${version} on Node.js ${node}, running since ${moment(startedAt, at)} (${elapsedText(at - startedAt)})</p>
`
}
