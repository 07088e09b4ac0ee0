/**
 * Phrases that a reader has to read twice. Each rule has a pattern (spaces in it also match a line break), the reason
 * and the words to use instead. `kinds` limits a rule to some kinds of text.
 */
export const proseRules = [
  {
    name: 'timeout',
    pattern: /\btime-outs?\b/gi,
    reason: 'one spelling everywhere',
    advice: 'timeout (noun), time out (verb)',
  },
  {
    name: 'who-gets',
    pattern: /\bwho(?:ever)? (?:[^\s.,;:?!]+ ){1,8}gets\b/gi,
    reason: 'the subject is hidden in a clause',
    advice: 'name the subject: "Callers that ... receive ..."',
  },
  {
    name: 'free-relative',
    pattern: /(?<=^|[.:;!?]\s+["'(]?)(?:What|Who|Whose|Whoever) (?![^.?!]*\?)\S+(?: \S+){0,3}/g,
    reason: 'a clause stands where the reader expects a noun',
    advice:
      'start with the noun, or with a verb in the third person: "Callers that ...", "The fields that ..."',
    kinds: ['comment', 'string', 'prose', 'table'],
  },
  {
    name: 'that-of',
    pattern: /\b(?:that|those) of\b/gi,
    reason: 'makes the reader look back for the noun',
    advice: 'repeat the noun or use a possessive: "Dex\'s keys"',
  },
  {
    name: 'of-its-own',
    pattern: /\bof (?:its|their|your|our|his|her|my) own\b/gi,
    reason: 'reads like a translation',
    advice: '"its own <noun>", "a separate <noun>", "a dedicated <noun>"',
  },
  {
    name: 'such-as-are',
    pattern: /\bsuch as (?:are|is|have|has)\b/gi,
    reason: 'reads like a translation',
    advice: '"that are", "for example"',
  },
  {
    name: 'left-alone',
    pattern: /\bleft alone\b|\b(?:leave|leaves|leaving) (?:(?:it|them|one|Dex|the \w+) )?alone\b/gi,
    reason: 'personification',
    advice: 'say what happens: "the circuit opens", "is not changed", "no request is sent"',
  },
  {
    name: 'lives-on',
    // "serves on 127.0.0.1" and "a token goes on every call" name a place.
    pattern:
      /\b(?:(?:lives?|lived|serves?|served) on\b(?! (?:[`\d$]|(?:a|an|the|one|two|every|each|its|this|that|port|localhost|both)\b))|(?:go|goes|went|going) on(?=[.,;:)]|$| (?:to|with|without|until|while|when|after|as|for)\b))/gi,
    reason: 'an idiom',
    advice: '"stays valid", "is still used", "continues"',
  },
  {
    name: 'to-be-had',
    pattern: /\b(?:to|can|cannot|can't|could|may|might) (?:not )?be had\b/gi,
    reason: 'an idiom',
    advice: '"is (not) available", "is unavailable"',
  },
  {
    name: 'stands',
    pattern: /\b(?:stands?|stood|standing) (?:on|in(?! for\b)|behind|beside|before|there|as)\b/gi,
    reason: 'a text does not stand anywhere',
    advice: '"appears in", "is", "is written in"; for a proxy: "is in front of"',
  },
  {
    name: 'is-no',
    pattern:
      /(?<!\b(?:there|here) )\b(?:is|are|was|were|be) no (?!(?:longer|more|less|fewer|later|earlier|sooner|newer|older|different|better|worse|one)\b)\p{L}[\p{L}-]*/giu,
    reason: 'reads like a translation',
    advice: '"is not a ..."; "there is no ..." where something is missing',
  },
  {
    name: 'passes-by',
    pattern: /\bpass(?:es|ed|ing)? (?:\S+ ){1,3}by(?=[.,;:\n]|$)/gi,
    reason: 'an idiom',
    advice: '"bypasses ..."',
  },
  {
    name: 'any-more',
    pattern: /\bany ?more\b(?! than\b)/gi,
    reason: 'a change is named by its result',
    advice: '"no longer"; for configurations: "is now rejected"',
  },
  {
    name: 'fault-of',
    pattern: /\bfaults? of\b|\b(?:its|their|our|his|whose|own) (?:own )?faults?\b/gi,
    reason: 'blames instead of naming the failure',
    advice: '"a misconfiguration", "an internal error", "Dex failed", "a failure of ..."',
  },
  {
    name: 'heading',
    pattern: /^(?:\d{4}\W+)?(?:What|How|Why|When|Where|Who|Whose|Which)\b.*|.*\?\s*$/g,
    reason: 'a heading is a noun phrase or a task',
    advice: '"Timeouts and pools", "Rotate a client secret"',
    kinds: ['heading'],
  },
  {
    name: 'personification',
    pattern:
      /\b(?:hears? (?:of|nothing|one|about|the|that)|is bothered|notic(?:es?|ed) nothing|(?:come|came|comes) to rest|(?:is|are|was|were) told (?:of|apart)|its log tells|(?:log|message|text|answer|name|header) tells|never tells)\b/gi,
    reason: 'software does not hear, tell or rest',
    advice: '"receives", "shows", "reports", "is unaffected", "stops"',
  },
  {
    name: 'living-token',
    pattern: /\bliving (?:tokens?|one|JWTs?)\b/gi,
    reason: 'tokens do not live',
    advice: '"cached token", "unexpired token", "valid token"',
  },
  {
    name: 'stranger',
    pattern: /\bstrangers?\b/gi,
    reason: 'not a term of this field',
    advice: '"unknown client", "unauthenticated caller", "another error"',
  },
  {
    name: 'come-back',
    pattern: /\b(?:come|comes|coming) (?:back|again)\b/gi,
    reason: 'personification',
    advice: '"retry", "return"',
  },
  {
    name: 'wins-over',
    pattern: /\b(?:win|wins|won) over\b/gi,
    reason: 'an idiom',
    advice: '"overrides", "takes precedence over"',
  },
  {
    name: 'has-to-be-there',
    pattern: /\b(?:has|have) to be there\b/gi,
    reason: 'a long way to say one word',
    advice: '"is required"',
  },
  {
    name: 'when-you-like',
    pattern: /\bwhen(?:ever)? you like\b/gi,
    reason: 'an idiom',
    advice: '"at any time"',
  },
  {
    name: 'from-which-part',
    pattern: /\bfrom which part\b/gi,
    reason: 'a quantity has a name',
    advice: '"fraction of ... after which ..."',
  },
  {
    name: 'may-not-say',
    pattern: /\bmay not say\b/gi,
    reason: 'a configuration does not speak',
    advice: '"is rejected", "cannot contain"',
  },
]

/** Longer sentences are read twice. Markdown prose only: tables, headings and comments have other shapes. */
export const maximumWords = 30

/**
 * Texts that keep a phrase. `file` and `text` are patterns; `text` is matched against the phrase with the words
 * around it.
 */
export const proseExceptions = [
  {
    rules: ['*'],
    file: /^scripts\/docs\/(?:prose-rules\.mjs|prose\.test\.mjs)$/,
    reason: 'the rules and their tests quote the phrases',
  },
]
