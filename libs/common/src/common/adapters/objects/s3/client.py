"""The clients of one bucket, for all threads: HTTP of our own for bytes, boto3 for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common.adapters.objects.s3.direct import Direct
from common.adapters.objects.s3.errors import error_for
from common.adapters.objects.s3.signing import Credentials, Signer
from common.adapters.objects.wire import Asking, Wire
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig
    from common.adapters.objects.s3.boto_uploads import BotoUploads
    from common.adapters.objects.s3.control import Control
    from common.adapters.objects.s3.listing import Listing

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
    def control(self) -> Control:
        # Imported here: not every worker needs boto3, and none to move bytes.
        from common.adapters.objects.s3.control import Control

        return Control.of(self._session, self.config)

    @cached_property
    def direct(self) -> Direct:
        """Raises ConfigurationError for an endpoint or a proxy that cannot be used."""
        config = self.config
        address = _address(config, self._region)
        wire = Wire.to(address, connect_timeout=config.connect_timeout, read_timeout=config.read_timeout)
        return Direct(Asking(wire, error_for), f"{urlsplit(address).path}/", Signer(self._region, self._credentials()))

    @cached_property
    def listing(self) -> Listing:
        # Imported here: who only moves bytes needs no XML.
        from common.adapters.objects.s3.listing import Listing

        return Listing(self.direct)

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
        config = self.config
        if config.access_key_id is None or config.secret_access_key is None:
            from common.adapters.objects.s3.control import current_credentials

            return lambda: current_credentials(self._session)
        token = None if config.session_token is None else config.session_token.get_secret_value()
        known = Credentials(config.access_key_id.get_secret_value(), config.secret_access_key.get_secret_value(), token)
        return lambda: known


def _address(config: LocationConfig, region: str) -> str:
    """The bucket's: by path where there is an endpoint of its own or a dot in the name."""
    if config.endpoint:
        return f"{config.endpoint.rstrip('/')}/{config.bucket}"
    host = f"s3.{region}.amazonaws.com"
    return f"https://{host}/{config.bucket}" if "." in config.bucket else f"https://{config.bucket}.{host}"
