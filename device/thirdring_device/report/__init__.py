"""The report of one call: its facts, a picture of it, and every verdict with its evidence."""

from thirdring_device.report.assemble import build
from thirdring_device.report.messages import LANGUAGES, rule_name
from thirdring_device.report.model import Report

__all__ = ["LANGUAGES", "Report", "build", "rule_name"]
