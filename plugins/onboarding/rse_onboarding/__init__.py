"""What a newly opened level lets people do: a short tour, tutorials, figures for those who accompany them."""

from .plugin import Onboarding

plugin = Onboarding()

