"""The resources that are served: the standard's own, a little more lenient than the library's.

* E-mail addresses are plain texts: many intranets have addresses that no public name server knows (``@corp.local``).
* Members are people: groups inside groups are not kept.
* ``manager`` may come without ``$ref``: Microsoft Entra sends the ``value`` alone.
"""

from __future__ import annotations

from typing import Annotated, Any, cast

import scim2_models as scim
from pydantic import Field
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    External,
    Filter,
    Mutability,
    Patch,
    Reference,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
)

from .config import Config


class Email(ComplexAttribute):
    """An e-mail address; the core checks the one that it takes."""

    value: str | None = None
    display: str | None = None
    type: scim.Email.Type | None = None
    primary: bool | None = None


class Manager(ComplexAttribute):
    """The manager, by the id of their resource."""

    value: Annotated[str | None, CaseExact.true] = None
    # The name of the resource, not the class below.
    ref: Reference["User"] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")  # noqa: UP037
    display_name: Annotated[str | None, Mutability.read_only] = None


class User(scim.User):
    """A person."""

    emails: list[Email] | None = None  # type: ignore[assignment]


class EnterpriseUser(scim.EnterpriseUser):
    """Where a person stands in the organisation."""

    manager: Manager | None = None  # type: ignore[assignment]


class Member(ComplexAttribute):
    """A member. ``display`` may be sent, as Okta and Canaille do, but is nobody's to write, and is not shown: a name would
    have to be kept up to date in every group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(  # noqa: UP037  the resource's name
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    display: Annotated[str | None, Mutability.read_only] = None


class Group(scim.Group):
    """A group of people."""

    members: list[Member] | None = None  # type: ignore[assignment]


#: What clients send beside the standard is let through; what the standard leaves open is read as Microsoft Entra means it.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


def provider_of(config: Config) -> ScimProvider:
    """What is published on ``/ServiceProviderConfig``, ``/ResourceTypes`` and ``/Schemas``."""
    types = [
        ResourceType.from_resource(cast("Any", User)[EnterpriseUser]),
        ResourceType.from_resource(Group),
    ]
    service = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=config.max_operations, max_payload_size=config.max_body),
        filter=Filter(supported=True, max_results=config.max_results),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth Bearer Token",
                description="An access token with the scope scim:provision, made by rse token create.",
                spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc6750"),
                primary=True,
            )
        ],
    )
    return ScimProvider(models=[User, EnterpriseUser, Group], resource_types=types, config=service, policy=POLICY)


def model_of(provider: ScimProvider, name: str) -> type[Resource[Any]]:
    """The composed model of ``User`` or ``Group``."""
    return cast("type[Resource[Any]]", provider.model_for(name))
