"""The console: the screens of the provider's people, one module per screen.

Owns addresses, forms, templates and the choice of what a screen shows. ``access`` decides who comes in
and finds things only among what the viewer may see; ``frame`` draws the frame around every page;
``words`` gives every state and verb its words and tone; ``reads`` puts together what a screen shows.

Refuses: rules and writes of its own. Every change goes through one workflow or service, by POST; a GET
never writes. What a viewer may not see does not exist for them (404); what their role may not do is
refused (403). No screen imports the engine or a channel.
"""
