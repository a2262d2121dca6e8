"""The look of Sentinel: base templates, components, design tokens.

Owns the page shells (console, worker's page, sign-in, errors), the two style sheets, one small script and the
template tags that draw components (`{% load ui %}`).

Refuses any knowledge of problems, accounts or users: callers pass plain values, and say which *tone* a thing
has (`neutral`, `calm`, `soon`, `suffer`, `info`). Two colours carry meaning and are never decoration: ember
says that somebody suffers, sea says that it is solved. What a worker said in their own words is always set in
the serif `verbatim` voice; what Sentinel says never is.
Nothing here needs inline scripts or inline styles, so the strictest Content-Security-Policy holds.
"""
