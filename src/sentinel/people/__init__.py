"""People of the provider: who they are, when they work, who stands in for them.

Owns :class:`User` with roles, :class:`ContactMethod`, :class:`WorkCalendar` (working hours and
holidays, also used by sites), :class:`Absence` with its deputy, and :class:`OfficerShift`, the rota
of the officer of the day.

Refuses: knowing customers. Who owns which account stands with the account; who may see what stands
with each thing that can be seen.
"""
