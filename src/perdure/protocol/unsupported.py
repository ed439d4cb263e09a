"""The calls of AWS's Lambda model that are known and not answered: their names and their places.

Source: botocore, ``lambda/2015-03-31``. They are refused by name, in the model's form.
"""

from typing import Final

__all__ = ["UNSUPPORTED_CALLS"]

_LAYER: Final = "/2018-10-31/layers/{LayerName}/versions"
_URL: Final = "/2021-10-31/functions/{FunctionName}/url"
_SOURCE: Final = "/2015-03-31/event-source-mappings"
_SIGNING: Final = "/2020-04-22/code-signing-configs"
_SIGNED: Final = "/2020-06-30/functions/{FunctionName}/code-signing-config"
_CAPACITY: Final = "/2025-11-30/capacity-providers"
_PROVISIONED: Final = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"
_SCALING: Final = "/2025-11-30/functions/{FunctionName}/function-scaling-config"
_RECURSION: Final = "/2024-08-31/functions/{FunctionName}/recursion-config"
_RUNTIME: Final = "/2021-07-20/functions/{FunctionName}/runtime-management-config"
_POLICY: Final = "/2026-07-09/resource-policy/{ResourceArn}"
_FUNCTION_POLICY: Final = "/2015-03-31/functions/{FunctionName}/policy"
_STREAM: Final = "/2021-11-15/functions/{FunctionName}/response-streaming-invocations"

#: Name, method, URI template. Where a query decides, as botocore writes it, the path is enough.
UNSUPPORTED_CALLS: Final = (
    ("AddLayerVersionPermission", "POST", _LAYER + "/{VersionNumber}/policy"),
    ("AddPermission", "POST", _FUNCTION_POLICY),
    ("CreateCapacityProvider", "POST", _CAPACITY),
    ("CreateCodeSigningConfig", "POST", _SIGNING),
    ("CreateEventSourceMapping", "POST", _SOURCE),
    ("CreateFunctionUrlConfig", "POST", _URL),
    ("DeleteCapacityProvider", "DELETE", _CAPACITY + "/{CapacityProviderName}"),
    ("DeleteCodeSigningConfig", "DELETE", _SIGNING + "/{CodeSigningConfigArn}"),
    ("DeleteEventSourceMapping", "DELETE", _SOURCE + "/{UUID}"),
    ("DeleteFunctionCodeSigningConfig", "DELETE", _SIGNED),
    ("DeleteFunctionUrlConfig", "DELETE", _URL),
    ("DeleteLayerVersion", "DELETE", _LAYER + "/{VersionNumber}"),
    ("DeleteProvisionedConcurrencyConfig", "DELETE", _PROVISIONED),
    ("DeleteResourcePolicy", "DELETE", _POLICY),
    ("GetCapacityProvider", "GET", _CAPACITY + "/{CapacityProviderName}"),
    ("GetCodeSigningConfig", "GET", _SIGNING + "/{CodeSigningConfigArn}"),
    ("GetEventSourceMapping", "GET", _SOURCE + "/{UUID}"),
    ("GetFunctionCodeSigningConfig", "GET", _SIGNED),
    ("GetFunctionRecursionConfig", "GET", _RECURSION),
    ("GetFunctionScalingConfig", "GET", _SCALING),
    ("GetFunctionUrlConfig", "GET", _URL),
    ("GetLayerVersion", "GET", _LAYER + "/{VersionNumber}"),
    ("GetLayerVersionByArn", "GET", "/2018-10-31/layers"),
    ("GetLayerVersionPolicy", "GET", _LAYER + "/{VersionNumber}/policy"),
    ("GetPolicy", "GET", _FUNCTION_POLICY),
    ("GetProvisionedConcurrencyConfig", "GET", _PROVISIONED),
    ("GetResourcePolicy", "GET", _POLICY),
    ("GetRuntimeManagementConfig", "GET", _RUNTIME),
    ("InvokeAsync", "POST", "/2014-11-13/functions/{FunctionName}/invoke-async"),
    ("InvokeWithResponseStream", "POST", _STREAM),
    ("ListCapacityProviders", "GET", _CAPACITY),
    ("ListCodeSigningConfigs", "GET", _SIGNING),
    ("ListEventSourceMappings", "GET", _SOURCE),
    ("ListFunctionUrlConfigs", "GET", "/2021-10-31/functions/{FunctionName}/urls"),
    (
        "ListFunctionVersionsByCapacityProvider",
        "GET",
        _CAPACITY + "/{CapacityProviderName}/function-versions",
    ),
    ("ListFunctionsByCodeSigningConfig", "GET", _SIGNING + "/{CodeSigningConfigArn}/functions"),
    ("ListLayerVersions", "GET", _LAYER),
    ("ListLayers", "GET", "/2018-10-31/layers"),
    ("ListProvisionedConcurrencyConfigs", "GET", _PROVISIONED),
    ("PublishLayerVersion", "POST", _LAYER),
    ("PutFunctionCodeSigningConfig", "PUT", _SIGNED),
    ("PutFunctionRecursionConfig", "PUT", _RECURSION),
    ("PutFunctionScalingConfig", "PUT", _SCALING),
    ("PutProvisionedConcurrencyConfig", "PUT", _PROVISIONED),
    ("PutResourcePolicy", "PUT", _POLICY),
    ("PutRuntimeManagementConfig", "PUT", _RUNTIME),
    ("RemoveLayerVersionPermission", "DELETE", _LAYER + "/{VersionNumber}/policy/{StatementId}"),
    ("RemovePermission", "DELETE", _FUNCTION_POLICY + "/{StatementId}"),
    ("UpdateCapacityProvider", "PUT", _CAPACITY + "/{CapacityProviderName}"),
    ("UpdateCodeSigningConfig", "PUT", _SIGNING + "/{CodeSigningConfigArn}"),
    ("UpdateEventSourceMapping", "PUT", _SOURCE + "/{UUID}"),
    ("UpdateFunctionUrlConfig", "PUT", _URL),
)
