"""Who calls, and what they may do.

caller.py       Caller, Permission, caller(request)
routes.py       what a route needs: needs(permission), open_to_all()
guard.py        lets a request through to its route, or answers 401, 403 or 429
"""

from common.web.auth.caller import Caller, Permission, caller
from common.web.auth.guard import Guard, everyone
from common.web.auth.routes import needs, open_to_all

__all__ = ["Caller", "Guard", "Permission", "caller", "everyone", "needs", "open_to_all"]
