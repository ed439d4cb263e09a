"""The names of runtimes, as AWS's model lists them.

Source: botocore, ``lambda/2015-03-31``: Runtime. ``engine.functions`` says which of them run here.
"""

from enum import StrEnum

__all__ = [
    "Runtime",
]


class Runtime(StrEnum):
    """x"""

    NODEJS = "nodejs"
    NODEJS4_3 = "nodejs4.3"
    NODEJS6_10 = "nodejs6.10"
    NODEJS8_10 = "nodejs8.10"
    NODEJS10_X = "nodejs10.x"
    NODEJS12_X = "nodejs12.x"
    NODEJS14_X = "nodejs14.x"
    NODEJS16_X = "nodejs16.x"
    NODEJS18_X = "nodejs18.x"
    NODEJS20_X = "nodejs20.x"
    NODEJS22_X = "nodejs22.x"
    NODEJS24_X = "nodejs24.x"
    JAVA8 = "java8"
    JAVA8_AL2 = "java8.al2"
    JAVA11 = "java11"
    JAVA17 = "java17"
    JAVA21 = "java21"
    JAVA25 = "java25"
    PYTHON2_7 = "python2.7"
    PYTHON3_6 = "python3.6"
    PYTHON3_7 = "python3.7"
    PYTHON3_8 = "python3.8"
    PYTHON3_9 = "python3.9"
    PYTHON3_10 = "python3.10"
    PYTHON3_11 = "python3.11"
    PYTHON3_12 = "python3.12"
    PYTHON3_13 = "python3.13"
    PYTHON3_14 = "python3.14"
    DOTNETCORE1_0 = "dotnetcore1.0"
    DOTNETCORE2_0 = "dotnetcore2.0"
    DOTNETCORE2_1 = "dotnetcore2.1"
    DOTNETCORE3_1 = "dotnetcore3.1"
    DOTNET6 = "dotnet6"
    DOTNET8 = "dotnet8"
    DOTNET10 = "dotnet10"
    NODEJS4_3_EDGE = "nodejs4.3-edge"
    GO1_X = "go1.x"
    RUBY2_5 = "ruby2.5"
    RUBY2_7 = "ruby2.7"
    RUBY3_2 = "ruby3.2"
    RUBY3_3 = "ruby3.3"
    RUBY3_4 = "ruby3.4"
    RUBY4_0 = "ruby4.0"
    PROVIDED = "provided"
    PROVIDED_AL2 = "provided.al2"
    PROVIDED_AL2023 = "provided.al2023"
    NODEJS26_X = "nodejs26.x"
    PYTHON3_15 = "python3.15"
    JAVA8_AL2023 = "java8.al2023"
    JAVA11_AL2023 = "java11.al2023"
    JAVA17_AL2023 = "java17.al2023"
    CUSTOM = "custom"
