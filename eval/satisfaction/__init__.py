"""The whole report: how right, how varied, how fair, how fast, how well said (`tastebud eval all`)."""
