import { elapsedText } from './elapsed-text.ts'
import { type Html, html, rawText } from './html.ts'
import { pageScript } from './live-page.ts'
import { answersSection, latencySection, overviewSection } from './overview-section.ts'
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
  /** A URL: a sign that a tab shows. */
  readonly icon: string
  readonly main: string
}

/** Renders what changes while the page is open. */
export function pageContent(status: PageStatus): PageContent {
  const { problems } = status
  const isCritical = problems.some(({ severity }) => severity === 'critical')
  const count = problems.length === 0 ? 'OK' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`
  return {
    title: `${count} – dex-token-broker on ${status.replica}`,
    icon: icons[isCritical ? 'critical' : problems.length > 0 ? 'warning' : 'good'],
    main: mainOf(status).toString(),
  }
}

/** Renders the whole page. */
export function pageDocument(status: PageStatus): string {
  const { title, icon } = pageContent(status)
  return html`<!doctype html>
<html lang="en">
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
<p class="live" id="live">State at ${moment(status.at, status.at)}</p>
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

/** A dot, a triangle and a square: not told apart by colour alone. */
const icons = {
  good: iconOf('%231a7f4b', '%3Ccircle cx="8" cy="8" r="7"/%3E'),
  warning: iconOf('%23b87503', '%3Cpath d="M8 1l7.5 14H.5z"/%3E'),
  critical: iconOf('%23c62828', '%3Cpath d="M1 1h14v14H1z"/%3E'),
}

function iconOf(colour: string, shape: string): string {
  return `data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="${colour}"%3E${shape}%3C/svg%3E`
}
