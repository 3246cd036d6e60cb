"""The doors for alarms of devices: HTTP and MQTT."""
