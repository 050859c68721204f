"""The clients of one bucket, for all threads: obstore for small objects, HTTP for large ones, boto3 for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from obstore.store import S3Store as ObstoreS3

from common.adapters.objects.obstore_calls import ObstoreCalls
from common.adapters.objects.s3.errors import error_for
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig
    from common.adapters.objects.s3.boto_uploads import BotoUploads
    from common.adapters.objects.s3.control import Control
    from common.adapters.objects.s3.direct import Direct
    from common.adapters.objects.s3.signing import Credentials

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Connection:
    """A bucket with its clients, each made when it is first needed. All are thread-safe; none retries."""

    config: LocationConfig

    @property
    def bucket(self) -> str:
        return self.config.bucket

    def check_credentials(self) -> None:
        """Sends nothing to the store. Raises ConfigurationError where no credentials can be found."""
        if self.config.access_key_id is None and self._session.get_credentials() is None:
            raise ConfigurationError(
                f"location {self.config.id}: no credentials for S3; set access_key_id and secret_access_key,"
                " or give the worker an AWS role or profile"
            )

    @cached_property
    def bytes(self) -> ObstoreCalls:
        return ObstoreCalls(_obstore(self.config, self._login()), error_for)

    @cached_property
    def control(self) -> Control:
        # Imported here: not every worker needs boto3, and none to move bytes.
        from common.adapters.objects.s3.control import Control

        return Control.of(self._session, self.config)

    @cached_property
    def direct(self) -> Direct:
        # Imported here: only large objects need it.
        from common.adapters.objects.s3.direct import Direct
        from common.adapters.objects.s3.signing import Signer
        from common.adapters.objects.wire import Wire

        wire = Wire(self.config.connect_timeout, self.config.read_timeout)
        return Direct(_address(self.config, self._region), Signer(self._region, self._credentials()), wire)

    @cached_property
    def boto_uploads(self) -> BotoUploads:
        # Imported here, as it brings boto3.
        from common.adapters.objects.s3.boto_uploads import BotoUploads

        return BotoUploads(self.control)

    @cached_property
    def _session(self) -> Any:
        from common.adapters.objects.s3.control import open_session

        return open_session(self.config)

    @cached_property
    def _region(self) -> str:
        return self.config.region or self._session.region_name or DEFAULT_REGION

    def _credentials(self) -> Callable[[], Credentials]:
        """Those of the location; or those of the session, each time as they are then."""
        from common.adapters.objects.s3.signing import Credentials

        config = self.config
        if config.access_key_id is None or config.secret_access_key is None:
            from common.adapters.objects.s3.control import current_credentials

            return lambda: current_credentials(self._session)
        token = None if config.session_token is None else config.session_token.get_secret_value()
        known = Credentials(config.access_key_id.get_secret_value(), config.secret_access_key.get_secret_value(), token)
        return lambda: known

    def _login(self) -> dict[str, Any]:
        """Region and credentials as obstore takes them; both from the session where the location does not say."""
        config = self.config
        if config.access_key_id is None or config.secret_access_key is None or config.region is None:
            from obstore.auth.boto3 import Boto3CredentialProvider

            provider = Boto3CredentialProvider(self._session, ttl=timedelta(minutes=5))
            return {"region": self._region, "credential_provider": provider}
        login = {
            "region": config.region,
            "access_key_id": config.access_key_id.get_secret_value(),
            "secret_access_key": config.secret_access_key.get_secret_value(),
        }
        if config.session_token is not None:
            login["session_token"] = config.session_token.get_secret_value()
        return login


def _address(config: LocationConfig, region: str) -> str:
    """The bucket's, as obstore has it: by path where there is an endpoint of its own or a dot in the name."""
    if config.endpoint:
        return f"{config.endpoint.rstrip('/')}/{config.bucket}"
    host = f"s3.{region}.amazonaws.com"
    return f"https://{host}/{config.bucket}" if "." in config.bucket else f"https://{config.bucket}.{host}"


def _obstore(config: LocationConfig, login: dict[str, Any]) -> ObstoreS3:
    provider = login.pop("credential_provider", None)
    endpoint: dict[str, Any] = {"endpoint": config.endpoint} if config.endpoint else {}
    return ObstoreS3(
        config.bucket,
        config={  # type: ignore[arg-type]
            **login,
            **endpoint,
            "virtual_hosted_style_request": config.endpoint is None and "." not in config.bucket,
            # TLS protects the payload; without TLS the read-back does. Hashing it once more costs half the CPU.
            "unsigned_payload": True,
        },
        client_options={
            "allow_http": (config.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=config.connect_timeout),
            "read_timeout": timedelta(seconds=config.read_timeout),
            "timeout": timedelta(days=1),  # of a whole body; a body that stands still meets read_timeout
        },
        retry_config={"max_retries": 0},
        credential_provider=provider,
    )
