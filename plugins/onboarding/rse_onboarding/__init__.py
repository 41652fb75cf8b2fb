"""What a newly opened level lets people do: a short tour, tutorials, and figures for those who accompany their colleagues."""

from .plugin import Onboarding

plugin = Onboarding()

