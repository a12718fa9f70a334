"""botocore's default credential chain, reading a snapshot instead of the process.

botocore's own chain reads the live environment in six places, some of them at each
refresh, so the credentials of a session could become those of a variable that was set
later. Its provider classes take an environment, caches, file names and a way to start
programs. So botocore makes its chain, and each provider is exchanged for one of the
same kind that is given those of the snapshot: order and kinds stay botocore's, a
newer one's too. A contract test names the kinds that are known here.

Source: botocore.credentials.create_credential_resolver.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore import credentials as kinds
from botocore.config import Config
from botocore.tokens import SSOTokenProvider
from botocore.utils import (
    FileWebIdentityTokenLoader,
    JSONFileCache,
)

from botocore_conn_provider.exchange.asking import note_asking, refuse_recursion
from botocore_conn_provider.exchange.machine_sources import (
    NamedContainerProvider,
    NamedInstanceProvider,
    create_metadata_fetcher,
)
from botocore_conn_provider.exchange.sts_config import bound_sts

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore_conn_provider.connection.environment import Snapshot
    from botocore_conn_provider.exchange.hops import Hops
    from botocore_conn_provider.exchange.unfitted_session import UnfittedSession

WEB_IDENTITY = {
    "web_identity_token_file": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "role_arn": "AWS_ROLE_ARN",
    "role_session_name": "AWS_ROLE_SESSION_NAME",
}


class BaseChain:
    """Makes the providers of one session that no connection is fitted to."""

    def __init__(
        self,
        session: UnfittedSession,
        snapshot: Snapshot,
        *,
        conn_id: str,
        region_name: str | None,
        is_renewed: bool,
        hops: Hops,
    ) -> None:
        self._session = session
        self._snapshot = snapshot
        self._conn_id = conn_id
        self._region_name = region_name
        self._is_renewed = is_renewed
        self._hops = hops
        self._environ = dict(snapshot.settle())  # botocore wants a dict
        self._cache: dict[str, Any] = {}
        # By METHOD.
        self._makers: dict[str, Callable[[str], kinds.CredentialProvider]] = {
            "env": self._create_env,
            "assume-role": self._create_assume_role,
            "sso": self._create_sso,
            "shared-credentials-file": self._create_shared_file,
            "config-file": self._create_config_file,
            "login": self._create_login,
            "custom-process": self._create_process,
            "ec2-credentials-file": self._create_ec2_file,
            "boto-config": self._create_boto_config,
            "container-role": self._create_container,
            "iam-role": self._create_instance,
        }

    def build(self) -> kinds.CredentialResolver:
        """Return the chain. Reads the configuration files, asks nothing."""
        profile_name = self._session.get_config_variable("profile") or "default"
        # A profile that was named in code, or by the connection, beats the variables.
        is_named = self._session.instance_variables().get("profile") is not None
        theirs = kinds.create_credential_resolver(
            self._session, cache=self._cache, region_name=self._region_name
        )
        return kinds.CredentialResolver(
            [
                self._bind(each, profile_name, with_variables=not is_named)
                for each in theirs.providers
            ]
        )

    def providers(
        self,
        profile_name: str,
        disable_env_vars: bool = False,  # noqa: FBT001, FBT002 - botocore's signature
    ) -> list[kinds.CredentialProvider]:
        """Return the providers of one profile; botocore asks for source profiles."""
        theirs = kinds.ProfileProviderBuilder(
            self._session, cache=self._cache, region_name=self._region_name
        ).providers(profile_name, disable_env_vars)
        return [
            self._bind(each, profile_name, with_variables=not disable_env_vars)
            for each in theirs
        ]

    def _bind(
        self,
        theirs: kinds.CredentialProvider,
        profile_name: str,
        *,
        with_variables: bool,
    ) -> kinds.CredentialProvider:
        """Return the provider that does what `theirs` does, from the snapshot."""
        if isinstance(theirs, kinds.AssumeRoleWithWebIdentityProvider):
            return self._create_web_identity(
                profile_name, with_variables=with_variables
            )
        make = self._makers.get(theirs.METHOD or "")
        return theirs if make is None else make(profile_name)

    def _create_env(self, _: str) -> kinds.CredentialProvider:
        return kinds.EnvProvider(environ=self._environ)

    def _create_container(self, _: str) -> kinds.CredentialProvider:
        return NamedContainerProvider(self._environ, conn_id=self._conn_id)

    def _create_instance(self, _: str) -> kinds.CredentialProvider:
        """Make the provider; an error for a service that is named and silent.

        Of an address that nothing names, no one knows whether there is a service.
        """
        named = self._session.get_config_variable("ec2_metadata_service_endpoint")
        disabled = self._environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
        if named and self._is_renewed and not disabled:
            return self._create_named_instance()
        return kinds.InstanceMetadataProvider(
            create_metadata_fetcher(self._session, self._environ)
        )

    def _create_named_instance(self) -> kinds.CredentialProvider:
        return NamedInstanceProvider(
            create_metadata_fetcher(self._session, self._environ),
            session=self._session,
            conn_id=self._conn_id,
        )

    def _create_assume_role(self, profile_name: str) -> kinds.CredentialProvider:
        sources = [self._create_env(""), self._create_container("")]
        return kinds.AssumeRoleProvider(
            load_config=self._load_config,
            client_creator=self._watch_sts(profile_name),
            cache=self._cache,
            profile_name=profile_name,
            credential_sourcer=kinds.CanonicalNameCredentialSourcer(
                [*sources, self._create_named_instance()]
            ),
            profile_provider_builder=self,
        )

    def _create_shared_file(self, profile_name: str) -> kinds.CredentialProvider:
        return kinds.SharedCredentialProvider(
            creds_filename=self._session.get_config_variable("credentials_file"),
            profile_name=profile_name,
            ini_parser=lambda _: self._session.credentials_read,
        )

    def _create_config_file(self, profile_name: str) -> kinds.CredentialProvider:
        return kinds.ConfigProvider(
            config_filename=self._session.get_config_variable("config_file"),
            profile_name=profile_name,
            config_parser=lambda _: self._session.config_read,
        )

    def _create_process(self, profile_name: str) -> kinds.CredentialProvider:
        return kinds.ProcessProvider(
            profile_name=profile_name,
            load_config=self._load_config,
            popen=self._start,
        )

    def _start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a program of a profile where the session was created.

        Raises:
            ConnProviderError: This process is such a program, for this connection.
        """
        environ = self._snapshot.environ
        refuse_recursion(environ, self._conn_id)
        directory = self._snapshot.directory
        if not Path(directory).is_dir():  # deleted: nothing relative exists there
            directory = os.sep
        environ = note_asking(environ, self._conn_id)
        return subprocess.Popen(  # noqa: S603 - the user's own configuration names it
            command, env=environ, cwd=directory, **options
        )

    def _create_ec2_file(self, _: str) -> kinds.CredentialProvider:
        return kinds.OriginalEC2Provider(environ=self._environ)

    def _load_config(self) -> Any:
        return self._session.full_config

    def _watch_sts(self, profile_name: str) -> Callable[..., Any]:
        """Return what creates STS clients of the chain's own, in its region.

        What they ask for is noted, for it may be what is refused.
        """

        def create_client(service_name: str, **given: Any) -> Any:
            if self._is_renewed:  # the renewal repeats it, and bounds how often
                asking_once = Config(**bound_sts({}))
                given["config"] = asking_once.merge(given.get("config") or Config())
            client = self._session.create_client(
                service_name, **{"region_name": self._region_name, **given}
            )
            self._hops.watch(client, self._session, profile_name)
            return client

        return create_client

    def _create_web_identity(
        self, profile_name: str, *, with_variables: bool
    ) -> kinds.CredentialProvider:
        """Make the provider, with the three variables as values of the profile.

        botocore's class reads the live environment unless that is switched off.
        """
        variables = {
            field: self._environ[name]
            for field, name in WEB_IDENTITY.items()
            if with_variables and name in self._environ
        }

        def load_config() -> dict[str, Any]:
            profiles = self._load_config().get("profiles", {})
            profile = {**profiles.get(profile_name, {}), **variables}
            return {"profiles": {**profiles, profile_name: profile}}

        return kinds.AssumeRoleWithWebIdentityProvider(
            load_config=load_config,
            client_creator=self._watch_sts(profile_name),
            profile_name=profile_name,
            cache=self._cache,
            disable_env_vars=True,
            token_loader_cls=self._create_token_loader,  # type: ignore[arg-type] # called
        )

    def _create_token_loader(self, path: str) -> FileWebIdentityTokenLoader:
        return FileWebIdentityTokenLoader(self._snapshot.locate(path))

    def _create_sso(self, profile_name: str) -> kinds.CredentialProvider:
        tokens = JSONFileCache(self._snapshot.locate("~/.aws/sso/cache"))
        return kinds.SSOProvider(
            load_config=self._load_config,
            client_creator=self._session.create_client,
            profile_name=profile_name,
            cache=self._cache,
            token_cache=tokens,  # type: ignore[arg-type] # a mapping
            token_provider=SSOTokenProvider(
                self._session, cache=tokens, profile_name=profile_name
            ),
        )

    def _create_login(self, profile_name: str) -> kinds.CredentialProvider:
        """Make the provider of `aws login`, which older botocores do not have."""
        kind: Any = vars(kinds)["LoginProvider"]
        place = self._environ.get("AWS_LOGIN_CACHE_DIRECTORY") or "~/.aws/login/cache"
        provider: kinds.CredentialProvider = kind(
            load_config=self._load_config,
            client_creator=self._session.create_client,
            profile_name=profile_name,
            token_cache=JSONFileCache(self._snapshot.locate(place)),
        )
        return provider

    def _create_boto_config(self, _: str) -> kinds.CredentialProvider:
        provider = kinds.BotoProvider(environ=self._environ)
        provider.DEFAULT_CONFIG_FILENAMES = [
            self._snapshot.locate(path) for path in provider.DEFAULT_CONFIG_FILENAMES
        ]
        return provider
