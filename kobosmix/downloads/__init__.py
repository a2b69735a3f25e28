"""Answers that were downloaded by hand: files of KoboToolbox, ODK Central and ODK Briefcase."""
