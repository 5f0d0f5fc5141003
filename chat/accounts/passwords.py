"""Authentication by user name and password."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import check_password

from chat.models import User

LONGEST = 256
HASHING = ThreadPoolExecutor(2, "password")  # Argon2 takes 50 ms and 100 MB a try: off the loop, and two at a time


async def holder(username: str, password: str) -> User | None:
    """The active user with that name and password. An unknown name takes as long as a wrong password."""
    if len(password) > LONGEST:
        return None
    user = await User.objects.filter(username=as_kept(username), is_active=True).afirst()
    kept = user.password if user else "!"
    right = await asyncio.get_running_loop().run_in_executor(HASHING, check_password, password, kept)
    return user if right else None


def as_kept(username: str) -> str:
    """A user name as Django's forms store it: stripped, in NFKC (`django.contrib.auth.forms.UsernameField`)."""
    return unicodedata.normalize("NFKC", username.strip())
