"""The administration's pages, below ``admin/``."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("rse_admin", __name__, url_prefix="/admin")
